import { Button } from '@mantine/core'
import { IconFilePlus, IconFolderPlus } from '@tabler/icons-react'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { filesOfInput } from './browser/dropped-files.ts'
import classes from './ChooseFiles.module.css'
import { uploads } from './uploads.ts'

/** React's types do not know the attribute, which every browser does. */
const wholeFolder = { webkitdirectory: '' }

/** The buttons that open the system's choice of files and of folders. */
export function ChooseFiles() {
  const { t } = useTranslation()
  const files = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const add = (input: HTMLInputElement) => {
    if (input.files) uploads.add(filesOfInput(input.files))
    // So that the same choice is news again.
    input.value = ''
  }
  const hidden = { type: 'file', multiple: true, hidden: true, tabIndex: -1, 'aria-hidden': true } as const
  return (
    <div className={classes['choices']}>
      <input {...hidden} ref={files} data-testid="choose-files" onChange={(event) => add(event.currentTarget)} />
      <input
        {...hidden}
        ref={folder}
        data-testid="choose-folder"
        {...wholeFolder}
        onChange={(event) => add(event.currentTarget)}
      />
      <Button leftSection={<IconFilePlus size={22} aria-hidden />} onClick={() => files.current?.click()}>
        {t('uploads.chooseFiles')}
      </Button>
      <Button
        variant="default"
        leftSection={<IconFolderPlus size={22} aria-hidden />}
        onClick={() => folder.current?.click()}
      >
        {t('uploads.chooseFolder')}
      </Button>
    </div>
  )
}

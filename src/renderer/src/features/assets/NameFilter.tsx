import { CloseButton, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import classes from './AssetFilters.module.css'

/** So long after the last letter the words count. */
const restMs = 300

/** Words of file names. `onChange` gets them when typing rests, and at once with Enter. */
export function NameFilter({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState(text)
  const [known, setKnown] = useState(text)
  const changeSoon = useDebouncedCallback((words: string) => onChange(words.trim()), { delay: restMs })
  // Set from elsewhere, as by clearing all filters.
  if (known !== text) {
    setKnown(text)
    if (typed.trim() !== text) setTyped(text)
  }
  const change = (words: string) => {
    setTyped(words)
    changeSoon(words)
  }
  return (
    <TextInput
      className={classes['name']}
      classNames={{ input: classes['words'] ?? '' }}
      size="md"
      type="search"
      aria-label={t('assets.name')}
      placeholder={t('assets.name')}
      maxLength={200}
      leftSection={<IconSearch size={20} aria-hidden />}
      rightSection={
        typed !== '' && <CloseButton size={44} aria-label={t('assets.clearName')} onClick={() => change('')} />
      }
      value={typed}
      onChange={(event) => change(event.currentTarget.value)}
      onKeyDown={(event) => event.key === 'Enter' && !event.nativeEvent.isComposing && changeSoon.flush()}
    />
  )
}

import { IconUpload } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { ScreenTitle } from '../../components/ScreenTitle.tsx'
import { useMay } from '../../lib/use-may.ts'
import { ChooseFiles } from './ChooseFiles.tsx'
import { UploadList } from './UploadList.tsx'
import classes from './UploadsScreen.module.css'
import { UploadsSummary } from './UploadsSummary.tsx'
import { useUploads } from './use-uploads.ts'

/** Files that are brought in from this computer: how far all of them and each one are. */
export function UploadsScreen() {
  const { t } = useTranslation()
  const snapshot = useUploads()
  const mayUpload = useMay('operator')
  const isEmpty = snapshot.items.length === 0
  return (
    <div className={classes['screen']}>
      <header className={classes['head']}>
        <ScreenTitle>{t('uploads.title')}</ScreenTitle>
        {!isEmpty && mayUpload && <ChooseFiles />}
      </header>
      {isEmpty ? (
        <EmptyNotice
          icon={IconUpload}
          title={t(mayUpload ? 'uploads.emptyTitle' : 'uploads.forbiddenTitle')}
          text={t(mayUpload ? 'uploads.emptyText' : 'uploads.forbiddenText')}
          action={mayUpload && <ChooseFiles />}
        />
      ) : (
        <>
          <UploadsSummary snapshot={snapshot} />
          <UploadList items={snapshot.items} />
        </>
      )}
    </div>
  )
}

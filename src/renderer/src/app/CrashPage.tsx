import { Button } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { EmptyNotice } from '../components/EmptyNotice.tsx'

/** What a screen that threw is replaced with. */
export function CrashPage() {
  const { t } = useTranslation()
  return (
    <EmptyNotice
      icon={IconRefresh}
      title={t('app.crashedTitle')}
      text={t('app.crashedText')}
      action={<Button onClick={() => location.reload()}>{t('app.reload')}</Button>}
    />
  )
}

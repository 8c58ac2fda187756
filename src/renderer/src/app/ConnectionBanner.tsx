import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { daemonStatus, desktop } from '../lib/desktop.ts'
import { connection, retryConnection } from '../lib/live-updates.ts'
import { useStore } from '../lib/store.ts'
import { Banner } from './Banner.tsx'

/** Says that the base cannot be reached, and in the desktop application what is known about why. */
export function ConnectionBanner() {
  const { t } = useTranslation()
  const current = useStore(connection)
  const daemon = useStore(daemonStatus)
  if (current.state !== 'lost') return null

  if (daemon?.state === 'starting')
    return <Banner tone="warn" title={daemon.slow ? t('connection.startingSlow') : t('connection.starting')} />
  const failed = daemon?.state === 'failed'
  const retry = () => (failed ? void desktop?.retryDaemon() : retryConnection())
  return (
    <Banner
      tone="bad"
      title={failed ? t('connection.failed', { message: daemon.failure.message }) : t('connection.lost')}
      detail={t('connection.lostDetail')}
      action={
        <Button variant="white" color="dark" onClick={retry}>
          {t('connection.retryNow')}
        </Button>
      }
    />
  )
}

import { Skeleton } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { Page } from '../../components/Page.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { statusQuery } from '../../lib/status-query.ts'
import { useMay } from '../../lib/use-may.ts'
import { StoreForm } from './StoreForm.tsx'
import { StoreRestart } from './StoreRestart.tsx'
import { storeSettingsQuery } from './settings.queries.ts'

/** What administrators set: for now, where media is kept. */
export function SettingsScreen() {
  const { t } = useTranslation()
  const { data: status } = useQuery(statusQuery)
  const mayChange = useMay('admin')
  if (status === undefined) return <Skeleton height={240} radius="md" />
  if (!mayChange || status.workspaceIds !== null)
    return <EmptyNotice icon={IconLock} title={t('settings.forbiddenTitle')} text={t('settings.forbiddenText')} />
  return <Settings />
}

function Settings() {
  const { t } = useTranslation()
  const { data, isPending, error, refetch } = useQuery(storeSettingsQuery)
  return (
    <Page title={t('settings.title')}>
      {data ? (
        <>
          {data.needsRestart && <StoreRestart settings={data} />}
          {/* Begins anew when something else is set. */}
          <StoreForm key={JSON.stringify(data.settings)} settings={data} />
        </>
      ) : isPending ? (
        <Skeleton height={320} radius="md" />
      ) : (
        <QueryFailure error={error} retry={() => void refetch()} />
      )}
    </Page>
  )
}

import { Button, NativeSelect, Skeleton } from '@mantine/core'
import { IconDownload, IconHistory, IconLock } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { auditActions, exportAudit } from '../../../../shared/api/audit.ts'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { Page } from '../../components/Page.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { ShowMore } from '../../components/ShowMore.tsx'
import { useMay } from '../../lib/use-may.ts'
import { ActivityRow } from './ActivityRow.tsx'
import classes from './ActivityScreen.module.css'
import { activityQuery } from './activity.queries.ts'
import { type ActivitySearch, activitySearchSchema } from './activity-search.ts'
import { actionText } from './activity-text.ts'
import { TrailCheck } from './TrailCheck.tsx'

/** Who took away, brought back or allowed what, and when. `search` comes from the address and goes back there. */
export function ActivityScreen({
  search,
  onSearch
}: {
  search: ActivitySearch
  onSearch: (next: ActivitySearch) => void
}) {
  const { t } = useTranslation()
  const mayLook = useMay('operator')
  const mayCheck = useMay('admin')
  return (
    <Page
      title={t('activity.title')}
      width="table"
      actions={
        <>
          {mayLook && (
            <NativeSelect
              aria-label={t('activity.filter')}
              value={search.action ?? ''}
              onChange={(event) =>
                onSearch(activitySearchSchema.parse({ action: event.currentTarget.value || undefined }))
              }
              data={[
                { value: '', label: t('activity.everything') },
                ...auditActions.map((action) => ({ value: action, label: actionText(t, action) }))
              ]}
            />
          )}
          {mayCheck && (
            <Button
              component="a"
              variant="default"
              href={exportAudit.path}
              download="flightcase-activity.ndjson"
              leftSection={<IconDownload size={22} aria-hidden />}
            >
              {t('activity.export')}
            </Button>
          )}
        </>
      }
    >
      {mayCheck && <TrailCheck />}
      {mayLook ? (
        <Trail search={search} />
      ) : (
        <EmptyNotice icon={IconLock} title={t('activity.forbiddenTitle')} text={t('activity.forbiddenText')} />
      )}
    </Page>
  )
}

function Trail({ search }: { search: ActivitySearch }) {
  const { t } = useTranslation()
  const trail = useInfiniteQuery(activityQuery(search))
  if (trail.isPending) return <Skeleton height={240} radius="md" />
  if (trail.data === undefined) return <QueryFailure error={trail.error} retry={() => void trail.refetch()} />
  const records = trail.data.pages.flatMap(({ items }) => items)
  if (records.length === 0)
    return <EmptyNotice icon={IconHistory} title={t('activity.emptyTitle')} text={t('activity.emptyText')} />
  return (
    <>
      <ul className={classes['list']} aria-label={t('activity.title')}>
        {records.map((record) => (
          <ActivityRow key={record.seq} record={record} />
        ))}
      </ul>
      <ShowMore list={trail} />
    </>
  )
}

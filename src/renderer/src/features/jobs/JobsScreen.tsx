import { Button, Skeleton } from '@mantine/core'
import { IconChecks, IconRefresh } from '@tabler/icons-react'
import {
  type UseInfiniteQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient
} from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { type JobCounts, retryJobs } from '../../../../shared/api/jobs.ts'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { Page } from '../../components/Page.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { Section } from '../../components/Section.tsx'
import { ShowMore } from '../../components/ShowMore.tsx'
import { api } from '../../lib/api.ts'
import { useFormats } from '../../lib/format.ts'
import { jobText } from '../../lib/job-text.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { useMay } from '../../lib/use-may.ts'
import { JobRow, type ListedJob } from './JobRow.tsx'
import classes from './JobsScreen.module.css'
import { invalidateJobs } from './jobs.live.ts'
import { endedJobsQuery, jobsAtWorkQuery } from './jobs.queries.ts'

/** What the base does by itself: what gave up and needs a person, what runs, what waits, and what was cancelled. */
export function JobsScreen() {
  const { t } = useTranslation()
  const atWork = useQuery(jobsAtWorkQuery)
  const dead = useInfiniteQuery(endedJobsQuery('dead'))
  const cancelled = useInfiniteQuery(endedJobsQuery('cancelled'))
  return (
    <Page title={t('jobs.title')}>
      {atWork.data ? (
        <>
          {isNothing(atWork.data.counts) && (
            <EmptyNotice icon={IconChecks} title={t('jobs.emptyTitle')} text={t('jobs.emptyText')} />
          )}
          <EndedJobs list={dead} title={t('jobs.dead')} hint={t('jobs.deadHint')} action={<RetryAll />} />
          {atWork.data.items.length > 0 && (
            <Section title={t('jobs.running')}>
              <Rows jobs={atWork.data.items} />
            </Section>
          )}
          {atWork.data.counts.queued > 0 && (
            <Section title={t('jobs.waiting')}>
              <Waiting kinds={atWork.data.kinds} />
            </Section>
          )}
          <EndedJobs list={cancelled} title={t('jobs.cancelled')} hint={t('jobs.cancelledHint')} />
        </>
      ) : atWork.isPending ? (
        <Skeleton height={180} radius="md" />
      ) : (
        <QueryFailure error={atWork.error} retry={() => void atWork.refetch()} />
      )}
    </Page>
  )
}

function isNothing(counts: JobCounts): boolean {
  return Object.values(counts).every((count) => count === 0)
}

function Rows({ jobs }: { jobs: readonly ListedJob[] }) {
  return (
    <ul className={classes['list']}>
      {jobs.map((job) => (
        <JobRow key={job.id} job={job} />
      ))}
    </ul>
  )
}

/** How much of each kind waits: there can be a hundred thousand of one. */
function Waiting({ kinds }: { kinds: readonly { name: string; counts: JobCounts }[] }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const waiting = kinds.filter(({ counts }) => counts.queued > 0).toSorted((a, b) => b.counts.queued - a.counts.queued)
  return (
    <ul className={classes['list']}>
      {waiting.map(({ name, counts }) => (
        <li key={name} className={classes['kind']} data-testid="waiting-kind">
          <span>{jobText(t, name)}</span>
          <strong>{formats.number(counts.queued)}</strong>
        </li>
      ))}
    </ul>
  )
}

function EndedJobs({
  list,
  title,
  hint,
  action
}: {
  list: UseInfiniteQueryResult<{ pages: { items: ListedJob[] }[] }>
  title: string
  hint: string
  action?: ReactNode
}) {
  const jobs = list.data?.pages.flatMap(({ items }) => items) ?? []
  if (list.isError) return <QueryFailure error={list.error} retry={() => void list.refetch()} />
  if (jobs.length === 0) return null
  return (
    <Section title={title} hint={hint} action={action}>
      <Rows jobs={jobs} />
      <ShowMore list={list} />
    </Section>
  )
}

function RetryAll() {
  const { t } = useTranslation()
  const formats = useFormats()
  const client = useQueryClient()
  const mayRetry = useMay('operator')
  const retry = useMutation({
    mutationFn: async () => {
      let sum = 0
      for (;;) {
        const { retriedCount, isMore } = await api.call(retryJobs, { body: {} })
        sum += retriedCount
        if (!isMore) return sum
      }
    },
    onSuccess: (count) =>
      showToast({ tone: 'info', text: t('jobs.retriedAll', { count, amount: formats.number(count) }) }),
    onError: (error) => showToast({ tone: 'bad', text: problemText(t, error) }),
    onSettled: () => invalidateJobs(client)
  })
  if (!mayRetry) return null
  return (
    <Button
      leftSection={<IconRefresh size={22} aria-hidden />}
      loading={retry.isPending}
      onClick={() => retry.mutate()}
    >
      {t('jobs.retryAll')}
    </Button>
  )
}

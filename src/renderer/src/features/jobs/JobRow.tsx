import { Button } from '@mantine/core'
import { IconRefresh, IconX } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { z } from 'zod'
import { cancelJob, type listJobs, retryJob } from '../../../../shared/api/jobs.ts'
import { AssetLink } from '../../components/AssetLink.tsx'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { api } from '../../lib/api.ts'
import { useFormats } from '../../lib/format.ts'
import { jobReasonText, jobText } from '../../lib/job-text.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { useMay } from '../../lib/use-may.ts'
import { useNow } from '../../lib/use-now.ts'
import classes from './JobRow.module.css'
import { invalidateJobs } from './jobs.live.ts'

export type ListedJob = z.infer<(typeof listJobs)['response']>['items'][number]

/** One job: what it does and for which file, how far it is or why it gave up, and what can be done. */
export function JobRow({ job }: { job: ListedJob }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const now = useNow(60_000)
  const mayChange = useMay('operator')
  const retry = useJobChange(retryJob, t('inspector.jobRetried'))
  const cancel = useJobChange(cancelJob, t(job.state === 'dead' ? 'jobs.setAsideDone' : 'jobs.cancelledDone'))
  const { state, errorMessage, assetId, assetName } = job
  const what = jobText(t, job.name)
  return (
    <li className={classes['row']} data-testid="job" data-state={state}>
      <div className={classes['what']}>
        <strong>{what}</strong>
        {assetId !== null && assetName !== null && (
          <AssetLink assetId={assetId} name={assetName} className={classes['asset']} />
        )}
        {errorMessage !== null && (
          <>
            <span className={state === 'dead' ? classes['bad'] : undefined}>{jobReasonText(t, errorMessage)}</span>
            <span className={classes['detail']}>{t('jobs.reported', { message: errorMessage })}</span>
          </>
        )}
        {state === 'running' ? (
          <ProgressBar fraction={job.progress} label={what} />
        ) : (
          <span className={classes['muted']}>
            {t('jobs.begun', { ago: formats.ago(job.createdAt, now) })}
            {job.attempt > 1 && ` · ${t('jobs.attempts', { count: job.attempt })}`}
          </span>
        )}
      </div>
      {mayChange && (
        <span className={classes['actions']}>
          {state !== 'running' && (
            <Button
              variant="default"
              loading={retry.isPending}
              leftSection={<IconRefresh size={20} aria-hidden />}
              onClick={() => retry.mutate(job.id)}
            >
              {t('inspector.jobRetry')}
            </Button>
          )}
          {state !== 'cancelled' && (
            <Button
              variant="default"
              loading={cancel.isPending}
              leftSection={<IconX size={20} aria-hidden />}
              onClick={() => cancel.mutate(job.id)}
            >
              {t(state === 'dead' ? 'jobs.setAside' : 'jobs.cancel')}
            </Button>
          )}
        </span>
      )}
    </li>
  )
}

function useJobChange(endpoint: typeof retryJob | typeof cancelJob, done: string) {
  const { t } = useTranslation()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (jobId: string) => api.call(endpoint, { params: { jobId } }),
    onSuccess: () => showToast({ tone: 'info', text: done }),
    onError: (error) => showToast({ tone: 'bad', text: problemText(t, error) }),
    onSettled: () => invalidateJobs(client)
  })
}

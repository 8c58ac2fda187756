import { Button } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { type Job, retryJob } from '../../../../shared/api/jobs.ts'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { api } from '../../lib/api.ts'
import { useFormats } from '../../lib/format.ts'
import { jobReasonText, jobText } from '../../lib/job-text.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { useMay } from '../../lib/use-may.ts'
import classes from './Facts.module.css'
import { Panel } from './Facts.tsx'
import { invalidateAsset } from './inspector.live.ts'

/** Previews that exist and work that is still to be done or has failed. */
export function WorkPanel({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { renditions, jobs } = asset
  return (
    <Panel title={t('inspector.previews')}>
      {renditions.length === 0 && jobs.length === 0 && <p className={classes['none']}>{t('inspector.previewsNone')}</p>}
      <ul className={classes['list']}>
        {jobs.map((job) => (
          <JobRow key={job.id} job={job} assetId={asset.id} />
        ))}
        {renditions.map((rendition) => (
          <li key={`${rendition.name}.${rendition.format}`} className={classes['item']}>
            <span className={classes['line']}>
              <span>
                {t('inspector.rendition', { width: rendition.width, height: rendition.height })}{' '}
                <span className={classes['muted']}>{rendition.format.toUpperCase()}</span>
              </span>
              <span className={classes['muted']}>{formats.bytes(rendition.sizeBytes)}</span>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function JobRow({ job, assetId }: { job: Job; assetId: string }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const mayRetry = useMay('operator')
  const retry = useMutation({
    mutationFn: () => api.call(retryJob, { params: { jobId: job.id } }),
    onSuccess: () => showToast({ tone: 'info', text: t('inspector.jobRetried') }),
    onError: (error) => showToast({ tone: 'bad', text: problemText(t, error) }),
    onSettled: () => invalidateAsset(client, assetId)
  })
  const working = job.state === 'queued' || job.state === 'running'
  return (
    <li className={classes['item']} data-testid="job">
      <span className={classes['line']}>
        <strong>{jobText(t, job.name)}</strong>
        <span className={job.state === 'dead' ? classes['bad'] : classes['muted']}>
          {t(`inspector.jobState.${job.state}`)}
        </span>
      </span>
      {working && <ProgressBar fraction={job.progress} label={jobText(t, job.name)} />}
      {job.attempt > 1 && (
        <span className={classes['muted']}>
          {t('inspector.jobAttempt', { attempt: job.attempt, max: job.maxAttempts })}
        </span>
      )}
      {job.errorMessage !== null && (
        <>
          <span className={classes['bad']}>{jobReasonText(t, job.errorMessage)}</span>
          <span className={classes['reported']}>{t('jobs.reported', { message: job.errorMessage })}</span>
        </>
      )}
      {!working && mayRetry && (
        <Button
          variant="default"
          loading={retry.isPending}
          leftSection={<IconRefresh size={20} aria-hidden />}
          onClick={() => retry.mutate()}
        >
          {t('inspector.jobRetry')}
        </Button>
      )}
    </li>
  )
}

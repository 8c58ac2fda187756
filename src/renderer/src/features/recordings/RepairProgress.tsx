import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import classes from './RecordingList.module.css'
import { jobQuery } from './recordings.queries.ts'

/** How far the repair of a file is, or that it gave up; `onDone` when it is over and went well. */
export function RepairProgress({ jobId, onDone }: { jobId: string; onDone: () => void }) {
  const { t } = useTranslation()
  const { data: job } = useQuery(jobQuery(jobId))
  const tell = useRef(onDone)
  tell.current = onDone
  const isDone = job === null
  useEffect(() => {
    if (isDone) tell.current()
  }, [isDone])
  if (job?.state === 'dead' || job?.state === 'cancelled')
    return <span className={classes['bad']}>{t('recordings.repairGaveUp')}</span>
  const text = t(job?.state === 'queued' ? 'recordings.repairWaiting' : 'recordings.repairing')
  return (
    <>
      <span className={classes['muted']}>{text}</span>
      <ProgressBar fraction={job?.progress ?? null} label={text} />
    </>
  )
}

import { Button, Loader } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { problemCodeText } from '../../lib/problem-text.ts'
import classes from './RecordingStage.module.css'
import { type PlaybackRefusal, passesByItself, playbackRefusalQuery } from './recordings.queries.ts'

/**
 * Why nothing is played from a time on, and what can be done about it. What was refused for a while only is gone on with by itself
 * (`onRetry`). `onGoOn` is null where nothing follows.
 */
export function PlaybackFailure({
  sourceId,
  atMs,
  onRetry,
  onGoOn
}: {
  sourceId: string
  atMs: number
  onRetry: () => void
  onGoOn: (() => void) | null
}) {
  const { t } = useTranslation()
  const { data: refusal } = useQuery(playbackRefusalQuery(sourceId, atMs))
  const wasRefused = useRef(false)
  const retry = useRef(onRetry)
  retry.current = onRetry
  useEffect(() => {
    if (refusal === null && wasRefused.current) retry.current()
    wasRefused.current = refusal !== undefined && refusal !== null
  }, [refusal])
  if (refusal === undefined)
    return (
      <div className={classes['notice']} role="status">
        <Loader color="white" aria-label={t('recordings.loading')} />
      </div>
    )
  return (
    <div className={classes['notice']} role="alert">
      <IconAlertTriangle size={44} aria-hidden />
      <Why refusal={refusal} />
      <div className={classes['choices']}>
        <Button variant="default" onClick={onRetry}>
          {t('app.retry')}
        </Button>
        {onGoOn && isOfThisPart(refusal) && <Button onClick={onGoOn}>{t('recordings.goOnAfter')}</Button>}
      </div>
    </div>
  )
}

/** Where nothing at all can be played, there is nothing to go on to. */
function isOfThisPart(refusal: PlaybackRefusal | null): boolean {
  return (
    refusal === null ||
    refusal === 'recording_corrupt' ||
    refusal === 'recording_not_found' ||
    refusal === 'recording_away'
  )
}

function Why({ refusal }: { refusal: PlaybackRefusal | null }) {
  const { t } = useTranslation()
  if (refusal === null) return <p>{t('recordings.unplayable')}</p>
  if (refusal === 'recording_corrupt') return <p>{t('recordings.partDamaged')}</p>
  return (
    <>
      <p>{refusal === 'outage' ? t('problem.outage') : problemCodeText(t, refusal)}</p>
      {passesByItself(refusal) && <p>{t('recordings.resumes')}</p>}
    </>
  )
}

import { Button } from '@mantine/core'
import { IconPlayerRecordFilled, IconPlayerStopFilled } from '@tabler/icons-react'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import { getRecordStatus } from '../../../../shared/api/recordings.ts'
import type { MediaSource } from '../../../../shared/api/sources.ts'
import { api } from '../../lib/api.ts'
import { useMay } from '../../lib/use-may.ts'
import classes from './RecordControl.module.css'
import { recordTruthOf } from './stream-truth.ts'
import { useSourceActions } from './use-source-actions.ts'

/** Whether a stream is recorded, in words that tell the wish from the fact, and the one button that changes the wish. */
export function RecordControl({ source }: { source: MediaSource }) {
  const { t } = useTranslation()
  const mayRecord = useMay('operator')
  const { record } = useSourceActions(source)
  const truth = recordTruthOf(source)
  const isDesired = truth.text !== 'off' && truth.text !== 'stopping'
  const { name } = source
  const stateId = useId()
  return (
    <div className={classes['control']}>
      {truth.text === 'stuck' ? (
        <NotRecorded id={stateId} sourceId={source.id} />
      ) : (
        <span
          id={stateId}
          className={classes['state']}
          data-tone={truth.tone}
          data-recording={truth.text === 'recording' || undefined}
        >
          <span className={classes['dot']} aria-hidden />
          {t(`live.record.${truth.text}`)}
        </span>
      )}
      {mayRecord &&
        (isDesired ? (
          <Button
            variant="default"
            loading={record.isPending}
            leftSection={<IconPlayerStopFilled size={22} aria-hidden />}
            aria-label={t('live.stopLabel', { name })}
            aria-describedby={stateId}
            onClick={() => record.mutate(false)}
          >
            {t('live.stop')}
          </Button>
        ) : (
          <Button
            color="red.9"
            loading={record.isPending}
            disabled={!source.enabled}
            leftSection={<IconPlayerRecordFilled size={22} aria-hidden />}
            aria-label={t('live.startLabel', { name })}
            aria-describedby={stateId}
            onClick={() => record.mutate(true)}
          >
            {t('live.start')}
          </Button>
        ))}
    </div>
  )
}

/** Asked for only where something may be the matter. */
const recordStatusQuery = (sourceId: string) =>
  queryOptions({
    queryKey: [getRecordStatus.name, sourceId],
    queryFn: ({ signal }) => api.call(getRecordStatus, { params: { sourceId } }, signal),
    refetchInterval: 5000
  })

/** A stream that is there and shall be recorded, but is not: about to be, or else why not, as far as the base knows. */
function NotRecorded({ id, sourceId }: { id: string; sourceId: string }) {
  const { t } = useTranslation()
  const { data } = useQuery(recordStatusQuery(sourceId))
  const problem = data?.problem ?? null
  const lastError = problem === 'not_written' ? data?.last_error : null
  return (
    <span id={id} className={classes['state']} data-tone={problem === null ? 'warn' : 'bad'}>
      <span className={classes['dot']} aria-hidden />
      <span>
        {t(problem === null ? 'live.record.starting' : 'live.record.stuck')}
        {problem !== null && <span className={classes['why']}>{t(`live.recordProblem.${problem}`)}</span>}
        {lastError && <span className={classes['why']}>{t('live.reported', { message: lastError })}</span>}
      </span>
    </span>
  )
}

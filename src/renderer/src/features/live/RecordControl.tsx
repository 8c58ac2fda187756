import { Button } from '@mantine/core'
import { IconPlayerRecordFilled, IconPlayerStopFilled } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { MediaSource } from '../../../../shared/api/sources.ts'
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
  return (
    <div className={classes['control']}>
      <span
        className={classes['state']}
        data-tone={truth.tone}
        data-recording={truth.text === 'recording' || undefined}
      >
        <span className={classes['dot']} aria-hidden />
        {t(`live.record.${truth.text}`)}
      </span>
      {mayRecord &&
        (isDesired ? (
          <Button
            variant="default"
            loading={record.isPending}
            leftSection={<IconPlayerStopFilled size={22} aria-hidden />}
            aria-label={t('live.stopLabel', { name })}
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
            onClick={() => record.mutate(true)}
          >
            {t('live.start')}
          </Button>
        ))}
    </div>
  )
}

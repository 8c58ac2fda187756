import { Title } from '@mantine/core'
import {
  IconAlertTriangleFilled,
  IconCircleCheckFilled,
  IconDeviceGamepad2,
  IconDownload,
  IconHourglass,
  IconPlugConnectedX
} from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Lane } from '../../../../shared/api/field.ts'
import { useFormats } from '../../lib/format.ts'
import { useNow } from '../../lib/use-now.ts'
import { CurrentFile } from './CurrentFile.tsx'
import classes from './LaneCard.module.css'
import { LaneFiles, TroubledFiles } from './LaneFiles.tsx'
import { laneErrorText } from './lane-error.ts'
import { judgeLane, type LaneVerdict } from './lane-verdict.ts'

const verdictIcons = {
  idle: IconHourglass,
  busy: IconDownload,
  ok: IconCircleCheckFilled,
  warn: IconPlugConnectedX,
  bad: IconAlertTriangleFilled
} as const

/** One controller: what it is doing, how much has arrived, what went wrong last. `filesOpen` lists the files unless a person chose otherwise. */
export function LaneCard({ lane, filesOpen }: { lane: Lane; filesOpen: boolean }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const now = useNow(10_000)
  const verdict = judgeLane(lane)
  const headingId = `lane-${lane.id}`

  return (
    <article className={classes['lane']} aria-labelledby={headingId} data-testid="lane" data-tone={verdict.tone}>
      <header className={classes['head']}>
        <IconDeviceGamepad2 size={30} stroke={1.6} aria-hidden />
        <div className={classes['who']}>
          <Title order={2} size="h3" id={headingId} className={classes['name']}>
            {lane.name}
          </Title>
          {lane.name !== lane.remoteAddress && <span className={classes['address']}>{lane.remoteAddress}</span>}
        </div>
        <span className={classes['presence']} data-online={lane.online}>
          <span className={classes['dot']} aria-hidden />
          {lane.online ? t('field.online') : t('field.offline', { ago: formats.ago(lane.lastSeenAt, now) })}
        </span>
      </header>

      <Verdict verdict={verdict} />

      <dl className={classes['counts']} aria-label={t('field.counts')}>
        <Count label={t('field.seen')} value={lane.seen} />
        <Count label={t('field.uploaded')} value={lane.uploaded} tone="ok" />
        <Count label={t('field.skipped')} value={lane.skipped} />
        <Count label={t('field.failed')} value={lane.failed} tone="bad" />
        {lane.damaged > 0 && <Count label={t('field.damaged')} value={lane.damaged} tone="bad" />}
      </dl>

      {lane.current && <CurrentFile file={lane.current} bytesPerSecond={lane.bytesPerSecond} />}

      {lane.lastError && (
        <div className={classes['error']} data-testid="lane-error">
          <IconAlertTriangleFilled size={22} aria-hidden />
          <div>
            <strong>{t('field.lastErrorAt', { time: formats.recent(lane.lastError.at, now) })}</strong>
            {lane.lastError.name && <span className={classes['errorName']}>{lane.lastError.name}</span>}
            <p>{laneErrorText(t, lane.lastError.code)}</p>
          </div>
        </div>
      )}

      <TroubledFiles files={lane.troubled} total={lane.failed + lane.damaged} />
      <LaneFiles files={lane.recent} openByDefault={filesOpen} />
    </article>
  )
}

function Verdict({ verdict }: { verdict: LaneVerdict }) {
  const { t } = useTranslation()
  const VerdictIcon = verdictIcons[verdict.tone]
  const { count, here, seen } = verdict
  return (
    <p className={classes['verdict']} data-testid="lane-verdict">
      <VerdictIcon size={28} aria-hidden />
      {t(`field.verdict.${verdict.text}`, { count, here, seen })}
    </p>
  )
}

function Count({ label, value, tone }: { label: string; value: number; tone?: 'ok' | 'bad' }) {
  const formats = useFormats()
  return (
    <div className={classes['count']} data-tone={value > 0 ? tone : undefined}>
      <dt>{label}</dt>
      <dd>{formats.number(value)}</dd>
    </div>
  )
}

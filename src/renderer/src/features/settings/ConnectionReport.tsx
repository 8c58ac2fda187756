import { IconAlertOctagonFilled, IconCircleCheckFilled, IconCircleMinus } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { ConnectionStep } from '../../../../shared/api/settings.ts'
import { Details } from '../../components/Details.tsx'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { useFormats } from '../../lib/format.ts'
import { useNow } from '../../lib/use-now.ts'
import classes from './ConnectionReport.module.css'

const icons = { ok: IconCircleCheckFilled, failed: IconAlertOctagonFilled, skipped: IconCircleMinus }

/** What trying out a store found, step by step, with what helps. */
export function ConnectionReport({
  isTesting,
  steps
}: {
  isTesting: boolean
  steps: readonly ConnectionStep[] | null
}) {
  const { t } = useTranslation()
  if (isTesting) return <ProgressBar fraction={null} label={t('settings.connection.testing')} />
  if (steps === null) return null
  const hasFailed = steps.some(({ outcome }) => outcome === 'failed')
  return (
    <div className={classes['report']} data-tone={hasFailed ? 'bad' : 'ok'} role="status" data-testid="connection">
      <strong className={classes['title']}>{t(`settings.connection.${hasFailed ? 'failed' : 'ok'}`)}</strong>
      <ul className={classes['steps']}>
        {steps.map((step) => (
          <Step key={step.name} step={step} />
        ))}
      </ul>
    </div>
  )
}

function Step({ step: { name, outcome, detail, reported } }: { step: ConnectionStep }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const nowMs = useNow(60_000)
  const StepIcon = icons[outcome]
  // Of a clock the base tells what it shows.
  const offMs = detail === 'clock_differs' && reported !== null ? Math.abs(Date.parse(reported) - nowMs) : Number.NaN
  return (
    <li data-outcome={outcome} data-testid="connection-step" data-name={name}>
      <StepIcon size={24} role="img" aria-label={t(`settings.connection.outcome.${outcome}`)} />
      <div>
        <span>{t(`settings.connection.step.${name}`)}</span>
        {detail !== 'ok' && detail !== 'not_tried' && (
          <p className={classes['help']}>
            {Number.isNaN(offMs)
              ? t(`settings.connection.detail.${detail}`)
              : t('settings.connection.detail.clock_differs_by', { time: formats.span(offMs) })}
          </p>
        )}
        {reported !== null && <Details summary={t('settings.connection.reported')} lines={[reported]} />}
      </div>
    </li>
  )
}

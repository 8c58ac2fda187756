import { IconAlertTriangleFilled } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { MediaSource } from '../../../../shared/api/sources.ts'
import classes from './StreamTrouble.module.css'
import { failureOf, truthOf } from './stream-truth.ts'

/** What is wrong with a stream, and what becomes of it by itself; nothing while all is well. */
export function StreamTrouble({ source }: { source: MediaSource }) {
  const { t } = useTranslation()
  const { text, tone } = truthOf(source)
  const { drift, status } = source
  const lines: string[] = [
    ...(text === 'missing' || text === 'unknown' ? [t(`live.truthHow.${text}`)] : []),
    ...(drift === null || text === 'missing' ? [] : [t(`live.driftHow.${drift}`)])
  ]
  const lastError = text === 'unreachable' ? (status?.last_error ?? null) : null
  if (lastError !== null) lines.push(t(`live.failure.${failureOf(lastError)}`))
  if (lines.length === 0) return null
  return (
    <div className={classes['trouble']} data-tone={tone} data-testid="source-trouble">
      <IconAlertTriangleFilled size={20} aria-hidden />
      <div>
        {lines.map((line) => (
          <p key={line}>{line}</p>
        ))}
        {lastError !== null && <p className={classes['reported']}>{t('live.reported', { message: lastError })}</p>}
      </div>
    </div>
  )
}

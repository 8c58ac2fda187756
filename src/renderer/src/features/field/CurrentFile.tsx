import { useTranslation } from 'react-i18next'
import type { z } from 'zod'
import type { laneFileSchema } from '../../../../shared/api/field.ts'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { useFormats } from '../../lib/format.ts'
import classes from './CurrentFile.module.css'

/** The file that is coming in now: how far, how fast, how long still. */
export function CurrentFile({
  file,
  bytesPerSecond
}: {
  file: z.infer<typeof laneFileSchema>
  bytesPerSecond: number
}) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { sizeBytes, receivedBytes } = file
  const fraction = sizeBytes === null || sizeBytes === 0 ? null : Math.min(1, receivedBytes / sizeBytes)
  const leftMs = sizeBytes !== null && bytesPerSecond > 0 ? ((sizeBytes - receivedBytes) / bytesPerSecond) * 1000 : null
  const amount =
    sizeBytes === null
      ? t('field.currentSoFar', { received: formats.bytes(receivedBytes) })
      : t('field.currentOf', { received: formats.bytes(receivedBytes), total: formats.bytes(sizeBytes) })

  return (
    <div className={classes['current']} data-testid="lane-current">
      <div className={classes['line']}>
        <span className={classes['name']}>
          <span className={classes['label']}>{t('field.current')}</span> {file.name}
        </span>
        {fraction !== null && <strong className={classes['percent']}>{formats.percent(fraction)}</strong>}
      </div>
      <ProgressBar fraction={fraction} label={`${t('field.current')}: ${file.name}`} />
      <div className={classes['line']}>
        <span>{amount}</span>
        <span className={classes['speed']}>
          {bytesPerSecond > 0 ? formats.speed(bytesPerSecond) : t('field.stalled')}
          {leftMs !== null && leftMs > 0 && `\u00a0· ${t('field.timeLeft', { time: formats.span(leftMs) })}`}
        </span>
      </div>
    </div>
  )
}

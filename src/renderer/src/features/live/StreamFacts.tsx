import { IconAlertTriangle } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { MediaSource } from '../../../../shared/api/sources.ts'
import { useFormats } from '../../lib/format.ts'
import classes from './StreamFacts.module.css'
import { codecName, codecWarnings, pictureOf, soundOf } from './stream-truth.ts'

/** Size, codecs, data rate and viewers of a stream that is there, and warnings about what screens do not take. */
export function StreamFacts({ source: { status } }: { source: MediaSource }) {
  const { t } = useTranslation()
  const formats = useFormats()
  if (status === null || !status.available) return null
  const picture = pictureOf(status.tracks)
  const sound = soundOf(status.tracks)
  const size = picture?.width && picture.height ? `${picture.width} × ${picture.height}` : null
  const { inbound_bitrate: bitrate, readers_total: readers } = status
  const facts = [
    size,
    picture && codecName(picture.codec),
    sound && codecName(sound.codec),
    bitrate === null ? null : formats.bitrate(bitrate),
    readers === 0 ? null : t('live.watching', { count: readers, amount: formats.number(readers) })
  ].filter((fact) => fact !== null && fact !== undefined)
  return (
    <>
      {facts.length > 0 && (
        <p className={classes['facts']}>
          {facts.map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
        </p>
      )}
      {codecWarnings(status.tracks).map(({ text, codec }) => (
        <p key={text} className={classes['warning']}>
          <IconAlertTriangle size={20} aria-hidden />
          {t(`live.codecs.${text}`, { codec: codecName(codec) })}
        </p>
      ))}
    </>
  )
}

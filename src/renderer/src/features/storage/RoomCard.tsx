import { useTranslation } from 'react-i18next'
import type { Storage } from '../../../../shared/api/storage.ts'
import { Section } from '../../components/Section.tsx'
import { useFormats } from '../../lib/format.ts'
import classes from './RoomCard.module.css'
import { roomText, sharesOf } from './room-text.ts'

/** How much more fits, in words and as a bar with words, and where everything is kept. */
export function RoomCard({ storage }: { storage: Storage }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { disk, room, usage, assetTotal, assetBytes, place, bucket, mode } = storage
  const kept = { count: assetTotal, amount: formats.number(assetTotal), size: formats.bytes(assetBytes) }
  // Where nothing can be stored, room is of no use.
  const saysRoom = storage.trouble === null || storage.trouble === 'full'
  const size = formats.bytes(disk?.availableBytes ?? 0)
  return (
    <Section title={t('storage.room.title')}>
      {saysRoom && (
        <p className={classes['room']} data-testid="room">
          {roomText(t, formats, storage) ?? t('storage.room.unknown')}
        </p>
      )}
      {disk && (
        <>
          <p>
            {room
              ? t('storage.room.perFlight', { size, flight: formats.bytes(room.flightBytes) })
              : t('storage.room.free', { size })}
          </p>
          <DiskBar disk={disk} storedBytes={usage?.storedBytes ?? 0} />
        </>
      )}
      <p>{assetTotal === 0 ? t('storage.room.nothing') : t('storage.room.keptFiles', kept)}</p>
      {mode === 'gateway' && <p>{t('storage.room.through')}</p>}
      <dl className={classes['facts']}>
        <dt>{t('storage.room.where')}</dt>
        <dd>{place}</dd>
        {mode !== 'embedded' && (
          <>
            <dt>{t('storage.room.bucket')}</dt>
            <dd>{bucket}</dd>
          </>
        )}
      </dl>
    </Section>
  )
}

function DiskBar({ disk, storedBytes }: { disk: NonNullable<Storage['disk']>; storedBytes: number }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const shares = sharesOf(disk, storedBytes)
  return (
    <div className={classes['disk']}>
      <div className={classes['bar']} aria-hidden>
        {shares.map(({ name, share }) => (
          <span key={name} data-share={name} style={{ flexGrow: share }} />
        ))}
      </div>
      <ul className={classes['legend']} aria-label={t('storage.room.bar')}>
        {shares.map(({ name, bytes }) => (
          <li key={name}>
            <span className={classes['swatch']} data-share={name} aria-hidden />
            <span>{t(`storage.room.${name}`)}</span>
            <strong>{formats.bytes(bytes)}</strong>
          </li>
        ))}
      </ul>
    </div>
  )
}

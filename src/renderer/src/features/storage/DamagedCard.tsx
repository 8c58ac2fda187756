import { Skeleton } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { DamagedAsset, Storage } from '../../../../shared/api/storage.ts'
import { AssetLink } from '../../components/AssetLink.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { Section } from '../../components/Section.tsx'
import { ShowMore } from '../../components/ShowMore.tsx'
import { useFormats } from '../../lib/format.ts'
import classes from './StorageList.module.css'
import { damagedQuery } from './storage.queries.ts'

const remedies = ['send_again', 'upload_again'] as const

/** Files whose bytes are damaged or gone, each with what brings it back. */
export function DamagedCard({ mode }: { mode: Storage['mode'] }) {
  const { t } = useTranslation()
  const where = mode === 'embedded' ? 'here' : 'elsewhere'
  const damaged = useInfiniteQuery(damagedQuery)
  const assets = damaged.data?.pages.flatMap(({ items }) => items)
  return (
    <Section title={t('storage.damaged.title')} hint={t(`storage.damaged.intro.${where}`)}>
      {assets ? (
        remedies.map((remedy) => <Remedy key={remedy} remedy={remedy} assets={assets} />)
      ) : damaged.isPending ? (
        <Skeleton height={120} radius="md" />
      ) : (
        <QueryFailure error={damaged.error} retry={() => void damaged.refetch()} />
      )}
      <ShowMore list={damaged} />
      <p>{t(`storage.damaged.backup.${where}`)}</p>
      <p>{t(`storage.damaged.cause.${where}`)}</p>
    </Section>
  )
}

/** What brings some of them back, and which. */
function Remedy({ remedy, assets }: { remedy: DamagedAsset['remedy']; assets: readonly DamagedAsset[] }) {
  const { t } = useTranslation()
  const some = assets.filter((asset) => asset.remedy === remedy)
  if (some.length === 0) return null
  return (
    <>
      <p>
        <strong>{t(`storage.damaged.${remedy}`)}</strong>
      </p>
      <ul className={classes['list']}>
        {some.map((asset) => (
          <DamagedRow key={asset.id} asset={asset} />
        ))}
      </ul>
    </>
  )
}

function DamagedRow({ asset }: { asset: DamagedAsset }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const facts = [
    asset.flightName === null ? null : t('storage.damaged.flight', { name: asset.flightName }),
    asset.deviceName,
    formats.dateTime(asset.takenAt),
    formats.bytes(asset.sizeBytes)
  ].filter((fact) => fact !== null)
  return (
    <li data-testid="damaged">
      <AssetLink assetId={asset.id} name={asset.name} />
      <span className={classes['muted']}>{facts.join(' · ')}</span>
    </li>
  )
}

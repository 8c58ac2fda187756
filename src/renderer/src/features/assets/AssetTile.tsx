// biome-ignore-all lint/a11y/useSemanticElements: a grid of which only some lines exist cannot be a table
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid owns the focus and names the active tile
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the grid owns the keys
import { Loader } from '@mantine/core'
import {
  IconAlertOctagonFilled,
  IconBroadcast,
  IconFile,
  IconMusic,
  IconPhoto,
  IconPlayerPlayFilled,
  IconVideo
} from '@tabler/icons-react'
import type { TFunction } from 'i18next'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { type AssetSummary, getThumbnail } from '../../../../shared/api/assets.ts'
import { endpointUrl } from '../../../../shared/api-client.ts'
import { FileName } from '../../components/FileName.tsx'
import { isGoneSoon } from '../../lib/bin-time.ts'
import { useFormats } from '../../lib/format.ts'
import classes from './AssetTile.module.css'

const kindIcons = {
  image: IconPhoto,
  video: IconVideo,
  audio: IconMusic,
  document: IconFile,
  other: IconFile,
  stream: IconBroadcast
} as const

/** The DOM id of a tile, for the grid's active descendant. */
export function tileId(assetId: string): string {
  return `tile-${assetId}`
}

/** One asset of the grid: its picture or why there is none, its name and time, and what is special about it. */
export const AssetTile = memo(function AssetTile({
  asset,
  device,
  daysLeft,
  column,
  active,
  onOpen
}: {
  asset: AssetSummary
  /** What it was taken with, where the list has several; else null. */
  device: string | null
  /** How many days it stays in the bin; null when it is not there. */
  daysLeft: number | null
  column: number
  active: boolean
  onOpen: (assetId: string) => void
}) {
  const { t } = useTranslation()
  const formats = useFormats()
  const timeLeft = daysLeft === null ? null : timeLeftText(t, daysLeft)
  const label = [
    asset.name,
    t(`assets.kindOne.${asset.kind}`),
    timeLeft ?? formats.wallTime(asset.takenLocal),
    device,
    asset.durationMs !== null && formats.clock(asset.durationMs),
    asset.damage !== null && t(`media.damage.${asset.damage}`)
  ]
    .filter(Boolean)
    .join(', ')
  return (
    <div
      id={tileId(asset.id)}
      role="gridcell"
      aria-label={label}
      aria-colindex={column + 1}
      aria-selected={active}
      className={classes['tile']}
      data-active={active || undefined}
      data-testid="tile"
      onClick={() => onOpen(asset.id)}
    >
      <div className={classes['picture']}>
        <Picture asset={asset} />
        {asset.damage !== null && (
          <span className={classes['damaged']}>
            <IconAlertOctagonFilled size={18} aria-hidden /> {t('assets.damaged')}
          </span>
        )}
        {asset.kind === 'video' && (
          <span className={classes['duration']}>
            <IconPlayerPlayFilled size={14} aria-hidden />
            {asset.durationMs !== null && formats.clock(asset.durationMs)}
          </span>
        )}
      </div>
      <div className={classes['caption']}>
        <FileName name={asset.name} />
        <div className={classes['more']}>
          {daysLeft === null ? (
            <time>{formats.wallTime(asset.takenLocal)}</time>
          ) : (
            <span className={classes['timeLeft']} data-soon={isGoneSoon(daysLeft) || undefined}>
              {timeLeft}
            </span>
          )}
          {device !== null && <FileName name={device} tailLength={6} />}
        </div>
      </div>
    </div>
  )
})

function timeLeftText(t: TFunction, daysLeft: number): string {
  return daysLeft === 0 ? t('bin.timeOver') : t('bin.daysLeft', { count: daysLeft })
}

function Picture({ asset }: { asset: AssetSummary }) {
  const { t } = useTranslation()
  if (asset.preview === 'ready')
    return (
      <img
        src={endpointUrl(getThumbnail.path, { params: { sizePx: 256, assetId: asset.id } })}
        alt=""
        decoding="async"
        draggable={false}
      />
    )
  // Stands below the sign that says it is damaged, and says how.
  if (asset.damage !== null)
    return (
      <span className={classes['state']} data-damaged>
        {t(`media.damage.${asset.damage}`)}
      </span>
    )
  if (asset.preview === 'pending')
    return (
      <span className={classes['state']}>
        <Loader size="sm" />
        {t('assets.previewPending')}
      </span>
    )
  const KindIcon = kindIcons[asset.kind]
  return (
    <span className={classes['state']}>
      <KindIcon size={36} stroke={1.4} aria-hidden />
      {t(`media.preview.${asset.previewProblem ?? 'unsupported_type'}`)}
    </span>
  )
}

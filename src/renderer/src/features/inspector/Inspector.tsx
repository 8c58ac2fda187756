import { ActionIcon, Button, Loader, Tooltip } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import {
  IconChevronLeft,
  IconChevronRight,
  IconDownload,
  IconTrash,
  IconTrashOff,
  IconTrashX
} from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { type AssetDetail, getMedia } from '../../../../shared/api/assets.ts'
import { ApiError, endpointUrl } from '../../../../shared/api-client.ts'
import { FileName } from '../../components/FileName.tsx'
import { FullView } from '../../components/FullView.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { assetQuery } from '../../lib/asset-query.ts'
import { useFormats } from '../../lib/format.ts'
import { useMay } from '../../lib/use-may.ts'
import { BinNotice } from './BinNotice.tsx'
import { CapturePanel } from './CapturePanel.tsx'
import { DamageNotice } from './DamageNotice.tsx'
import { Panel } from './Facts.tsx'
import { FilePanel } from './FilePanel.tsx'
import { HistoryPanel } from './HistoryPanel.tsx'
import classes from './Inspector.module.css'
import { Stage } from './Stage.tsx'
import { TagsPanel } from './TagsPanel.tsx'
import { WorkPanel } from './WorkPanel.tsx'

/** Where the open asset stands in the list it was opened from; null members where the list ends. */
export interface Neighbours {
  previousId: string | null
  nextId: string | null
  /** 0-based; null when the asset is not in the loaded list. */
  index: number | null
  total: number
  more: boolean
}

/**
 * Everything about one asset, above the list. Escape closes, the arrow keys go to its neighbours, Delete moves it to the bin and
 * from there asks to delete it for good.
 */
export function Inspector({
  assetId,
  neighbours,
  place,
  covered,
  references,
  onGo,
  onClose,
  onBin,
  onRestore,
  onPurge
}: {
  assetId: string
  neighbours: Neighbours
  /** Where closing leads. */
  place: 'assets' | 'bin'
  /** Whether a question lies over it, which then has the keys. */
  covered: boolean
  /** Who uses the asset. */
  references: (asset: AssetDetail) => ReactNode
  onGo: (assetId: string) => void
  onClose: () => void
  onBin: (asset: AssetDetail) => void
  onRestore: (asset: AssetDetail) => void
  /** Asks first. */
  onPurge: (asset: AssetDetail) => void
}) {
  const { t } = useTranslation()
  const asset = useQuery(assetQuery(assetId))
  const client = useQueryClient()
  useEffect(() => {
    for (const id of [neighbours.nextId, neighbours.previousId])
      if (id !== null) void client.prefetchQuery(assetQuery(id))
  }, [client, neighbours.nextId, neighbours.previousId])
  const go = (id: string | null) => id !== null && !covered && onGo(id)
  const may = { bin: useMay('operator'), purge: useMay('admin') }
  const remove = () => {
    if (asset.data === undefined || covered) return
    if (asset.data.state === 'binned') may.purge && onPurge(asset.data)
    else may.bin && onBin(asset.data)
  }

  useHotkeys(
    [
      ['ArrowLeft', () => go(neighbours.previousId)],
      ['ArrowRight', () => go(neighbours.nextId)],
      ['Delete', remove]
    ],
    ['INPUT', 'TEXTAREA', 'SELECT', 'VIDEO']
  )

  return (
    <FullView
      label={t('inspector.label', { name: asset.data?.name ?? '' })}
      testId="inspector"
      covered={covered}
      onClose={onClose}
      bar={
        <>
          <div className={classes['what']}>
            <h1 className={classes['name']}>{asset.data && <FileName name={asset.data.name} />}</h1>
            <Position neighbours={neighbours} />
          </div>
          <Walk neighbours={neighbours} onGo={go} />
          <span className={classes['actions']}>
            <DownloadButton asset={asset.data} />
            {asset.data?.state === 'binned' ? (
              <>
                {may.purge && (
                  <Button variant="default" leftSection={<IconTrashX size={22} aria-hidden />} onClick={remove}>
                    {t('bin.purge')}
                  </Button>
                )}
                {may.bin && (
                  <Button
                    leftSection={<IconTrashOff size={22} aria-hidden />}
                    onClick={() => asset.data && onRestore(asset.data)}
                  >
                    {t('inspector.restore')}
                  </Button>
                )}
              </>
            ) : (
              may.bin && (
                <Button
                  variant="default"
                  leftSection={<IconTrash size={22} aria-hidden />}
                  disabled={asset.data === undefined}
                  onClick={remove}
                >
                  {t('inspector.moveToBin')}
                </Button>
              )
            )}
          </span>
        </>
      }
    >
      {asset.data ? (
        <div className={classes['body']}>
          <div className={classes['stage']} data-stage>
            <Stage key={asset.data.id} asset={asset.data} />
          </div>
          <Panels asset={asset.data} references={references(asset.data)} />
        </div>
      ) : asset.isPending ? (
        <div className={classes['waiting']}>
          <Loader aria-label={t('app.loading')} />
        </div>
      ) : (
        <Missing error={asset.error} retry={() => void asset.refetch()} place={place} onBack={onClose} />
      )}
    </FullView>
  )
}

function DownloadButton({ asset }: { asset: AssetDetail | undefined }) {
  const { t } = useTranslation()
  const look = { variant: 'default', leftSection: <IconDownload size={22} aria-hidden /> }
  if (asset === undefined || asset.damage === 'bytes_missing')
    return (
      <Button {...look} disabled>
        {t('inspector.download')}
      </Button>
    )
  const href = endpointUrl(getMedia.path, { params: { assetId: asset.id }, query: { download: true } })
  return (
    <Button {...look} component="a" href={href} download={asset.name}>
      {t('inspector.download')}
    </Button>
  )
}

function Position({ neighbours: { index, total, more } }: { neighbours: Neighbours }) {
  const { t } = useTranslation()
  const formats = useFormats()
  if (index === null) return null
  const values = { index: formats.number(index + 1), total: formats.number(total) }
  return (
    <span className={classes['count']}>
      {more ? t('inspector.positionMore', values) : t('inspector.position', values)}
    </span>
  )
}

function Walk({ neighbours, onGo }: { neighbours: Neighbours; onGo: (id: string | null) => void }) {
  const { t } = useTranslation()
  const { previousId, nextId } = neighbours
  return (
    <span className={classes['walk']}>
      <Tooltip label={t('inspector.previous')}>
        <ActionIcon
          aria-label={t('inspector.previous')}
          disabled={previousId === null}
          onClick={() => onGo(previousId)}
        >
          <IconChevronLeft size={28} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={t('inspector.next')}>
        <ActionIcon aria-label={t('inspector.next')} disabled={nextId === null} onClick={() => onGo(nextId)}>
          <IconChevronRight size={28} />
        </ActionIcon>
      </Tooltip>
    </span>
  )
}

function Panels({ asset, references }: { asset: AssetDetail; references: ReactNode }) {
  const { t } = useTranslation()
  return (
    <div className={classes['panels']} data-testid="inspector-panels">
      <BinNotice asset={asset} />
      <DamageNotice asset={asset} />
      <TagsPanel asset={asset} />
      <CapturePanel asset={asset} />
      <FilePanel asset={asset} />
      <Panel title={t('inspector.references')}>{references}</Panel>
      <WorkPanel asset={asset} />
      <HistoryPanel events={asset.events} />
    </div>
  )
}

function Missing({
  error,
  retry,
  place,
  onBack
}: {
  error: unknown
  retry: () => void
  place: 'assets' | 'bin'
  onBack: () => void
}) {
  const { t } = useTranslation()
  if (error instanceof ApiError && (error.problem?.code === 'asset_not_found' || error.status === 400))
    return (
      <div className={classes['missing']} role="alert">
        <h2>{t('inspector.gone')}</h2>
        <p>{t('inspector.goneText')}</p>
        <Button onClick={onBack}>{t(`inspector.backTo.${place}`)}</Button>
      </div>
    )
  return <QueryFailure error={error} retry={retry} />
}

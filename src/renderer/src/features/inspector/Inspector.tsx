import { ActionIcon, Button, Loader, Modal, Tooltip } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { IconChevronLeft, IconChevronRight, IconDownload, IconTrash, IconTrashOff, IconX } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { type AssetDetail, getMedia } from '../../../../shared/api/assets.ts'
import { ApiError, endpointUrl } from '../../../../shared/api-client.ts'
import { Callout } from '../../components/Callout.tsx'
import { FileName } from '../../components/FileName.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { useFormats } from '../../lib/format.ts'
import { useMay } from '../../lib/use-may.ts'
import { CapturePanel } from './CapturePanel.tsx'
import { DamageNotice } from './DamageNotice.tsx'
import { FilePanel } from './FilePanel.tsx'
import { HistoryPanel } from './HistoryPanel.tsx'
import classes from './Inspector.module.css'
import { assetQuery } from './inspector.queries.ts'
import { ReferencesPanel } from './ReferencesPanel.tsx'
import { Stage } from './Stage.tsx'
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

/** Everything about one asset, above the list. Escape closes, the arrow keys go to its neighbours, Delete moves it to the bin. */
export function Inspector({
  assetId,
  neighbours,
  onGo,
  onClose,
  onBin,
  onRestore
}: {
  assetId: string
  neighbours: Neighbours
  onGo: (assetId: string) => void
  onClose: () => void
  onBin: (asset: AssetDetail) => void
  onRestore: (asset: AssetDetail) => void
}) {
  const { t } = useTranslation()
  const asset = useQuery(assetQuery(assetId))
  const client = useQueryClient()
  useEffect(() => {
    for (const id of [neighbours.nextId, neighbours.previousId])
      if (id !== null) void client.prefetchQuery(assetQuery(id))
  }, [client, neighbours.nextId, neighbours.previousId])
  const go = (id: string | null) => id !== null && onGo(id)
  const mayBin = useMay('operator')
  const binned = asset.data?.state === 'binned'

  useHotkeys(
    [
      ['ArrowLeft', () => go(neighbours.previousId)],
      ['ArrowRight', () => go(neighbours.nextId)],
      ['Delete', () => mayBin && asset.data && !binned && onBin(asset.data)]
    ],
    ['INPUT', 'TEXTAREA', 'SELECT', 'VIDEO']
  )

  return (
    <Modal.Root
      opened
      onClose={onClose}
      fullScreen
      padding={0}
      lockScroll={false}
      transitionProps={{ duration: 0 }}
      classNames={{ content: classes['content'] ?? '' }}
    >
      <Modal.Content aria-label={t('inspector.label', { name: asset.data?.name ?? '' })} data-testid="inspector">
        <header className={classes['bar']}>
          <Button
            variant="subtle"
            color="gray"
            leftSection={<IconX size={24} aria-hidden />}
            onClick={onClose}
            className={classes['close']}
            data-autofocus
          >
            {t('app.close')}
          </Button>
          <div className={classes['what']}>
            <h1 className={classes['name']}>{asset.data && <FileName name={asset.data.name} />}</h1>
            <Position neighbours={neighbours} />
          </div>
          <Walk neighbours={neighbours} onGo={go} />
          <span className={classes['actions']}>
            <DownloadButton asset={asset.data} />
            {!mayBin ? null : binned && asset.data ? (
              <Button leftSection={<IconTrashOff size={22} aria-hidden />} onClick={() => onRestore(asset.data)}>
                {t('inspector.restore')}
              </Button>
            ) : (
              <Button
                variant="default"
                leftSection={<IconTrash size={22} aria-hidden />}
                disabled={asset.data === undefined}
                onClick={() => asset.data && onBin(asset.data)}
              >
                {t('inspector.moveToBin')}
              </Button>
            )}
          </span>
        </header>
        {asset.data ? (
          <div className={classes['body']}>
            <div className={classes['stage']} data-stage>
              <Stage key={asset.data.id} asset={asset.data} />
            </div>
            <Panels asset={asset.data} />
          </div>
        ) : asset.isPending ? (
          <div className={classes['waiting']}>
            <Loader aria-label={t('app.loading')} />
          </div>
        ) : (
          <Missing error={asset.error} retry={() => void asset.refetch()} onBack={onClose} />
        )}
      </Modal.Content>
    </Modal.Root>
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

function Panels({ asset }: { asset: AssetDetail }) {
  return (
    <div className={classes['panels']} data-testid="inspector-panels">
      <BinNotice asset={asset} />
      <DamageNotice asset={asset} />
      <CapturePanel asset={asset} />
      <FilePanel asset={asset} />
      <ReferencesPanel references={asset.references} />
      <WorkPanel asset={asset} />
      <HistoryPanel events={asset.events} />
    </div>
  )
}

function BinNotice({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  const mayRestore = useMay('operator')
  if (asset.state !== 'binned') return null
  return (
    <Callout tone="warn" title={t('inspector.inBin')}>
      {mayRestore && t('inspector.inBinText', { restore: t('inspector.restore') })}
    </Callout>
  )
}

function Missing({ error, retry, onBack }: { error: unknown; retry: () => void; onBack: () => void }) {
  const { t } = useTranslation()
  if (error instanceof ApiError && (error.problem?.code === 'asset_not_found' || error.status === 400))
    return (
      <div className={classes['missing']} role="alert">
        <h2>{t('inspector.gone')}</h2>
        <p>{t('inspector.goneText')}</p>
        <Button onClick={onBack}>{t('inspector.backToAssets')}</Button>
      </div>
    )
  return <QueryFailure error={error} retry={retry} />
}

import { ActionIcon, Button, Loader, Modal, Tooltip } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { IconChevronLeft, IconChevronRight, IconDownload, IconTrash, IconTrashOff, IconX } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { type AssetDetail, getMedia } from '../../../../shared/api/assets.ts'
import { ApiError, endpointUrl } from '../../../../shared/api-client.ts'
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
          <h1 className={classes['name']}>{asset.data && <FileName name={asset.data.name} />}</h1>
          <Position neighbours={neighbours} onGo={go} />
          <span className={classes['actions']}>
            <Button
              component="a"
              href={endpointUrl(getMedia.path, { params: { assetId }, query: { download: true } })}
              download={asset.data?.name}
              variant="default"
              leftSection={<IconDownload size={22} aria-hidden />}
              disabled={asset.data?.damage === 'bytes_missing'}
            >
              {t('inspector.download')}
            </Button>
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
            <div className={classes['stage']}>
              <Stage key={asset.data.id} asset={asset.data} />
            </div>
            <Panels asset={asset.data} />
          </div>
        ) : asset.isPending ? (
          <div className={classes['waiting']}>
            <Loader aria-label={t('app.loading')} />
          </div>
        ) : (
          <Missing error={asset.error} retry={() => void asset.refetch()} />
        )}
      </Modal.Content>
    </Modal.Root>
  )
}

function Position({ neighbours, onGo }: { neighbours: Neighbours; onGo: (id: string | null) => void }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { previousId, nextId, index, total, more } = neighbours
  const values = { index: formats.number((index ?? 0) + 1), total: formats.number(total) }
  return (
    <span className={classes['position']}>
      <Tooltip label={t('inspector.previous')}>
        <ActionIcon
          aria-label={t('inspector.previous')}
          disabled={previousId === null}
          onClick={() => onGo(previousId)}
        >
          <IconChevronLeft size={28} />
        </ActionIcon>
      </Tooltip>
      {index !== null && (
        <span className={classes['count']}>
          {more ? t('inspector.positionMore', values) : t('inspector.position', values)}
        </span>
      )}
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
      <DamageNotice asset={asset} />
      <CapturePanel asset={asset} />
      <FilePanel asset={asset} />
      <ReferencesPanel references={asset.references} />
      <WorkPanel asset={asset} />
      <HistoryPanel events={asset.events} />
    </div>
  )
}

function Missing({ error, retry }: { error: unknown; retry: () => void }) {
  const { t } = useTranslation()
  if (error instanceof ApiError && (error.problem?.code === 'asset_not_found' || error.status === 400))
    return (
      <div className={classes['missing']} role="alert">
        <h2>{t('inspector.gone')}</h2>
        <p>{t('inspector.goneText')}</p>
      </div>
    )
  return <QueryFailure error={error} retry={retry} />
}

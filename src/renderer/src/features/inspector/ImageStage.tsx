import { Loader } from '@mantine/core'
import { useElementSize, useMergedRef } from '@mantine/hooks'
import { type SyntheticEvent, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { TransformComponent, TransformWrapper } from 'react-zoom-pan-pinch'
import { type AssetDetail, getMedia, getThumbnail } from '../../../../shared/api/assets.ts'
import { endpointUrl } from '../../../../shared/api-client.ts'
import { useFormats } from '../../lib/format.ts'
import { NothingToShow } from './NothingToShow.tsx'
import { fitInto, type Size, uprightSize } from './picture-size.ts'
import classes from './Stage.module.css'
import { ZoomTools } from './ZoomTools.tsx'

const browserFormats: ReadonlySet<string> = new Set([
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/avif',
  'image/gif'
])
/** How far beyond one picture point per screen point it makes sense to go. */
const deepestZoom = 8

/** Whether the original is a picture that a browser can show by itself. */
export function canShowOriginal(asset: AssetDetail): boolean {
  return browserFormats.has(asset.mimeType) && asset.damage !== 'bytes_missing'
}

function naturalSize(image: HTMLImageElement): Size {
  return { width: image.naturalWidth, height: image.naturalHeight }
}

/** A picture that zooms to single pixels: the preview at once, then the original over it. */
export function ImageStage({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { ref, width, height } = useElementSize<HTMLDivElement>()
  const stage = useRef<HTMLDivElement>(null)
  const mergedRef = useMergedRef(ref, stage)
  // Of whatever was shown first: it decides the shape, which must not change under a person's fingers.
  const [shape, setShape] = useState<Size | null>(null)
  const [originalSize, setOriginalSize] = useState<Size | null>(null)
  const [original, setOriginal] = useState<'loading' | 'shown' | 'failed'>('loading')
  const hasPreview = asset.preview === 'ready'
  const hasOriginal = canShowOriginal(asset) && original !== 'failed'

  const catalogued = asset.width !== null && asset.height !== null ? { width: asset.width, height: asset.height } : null
  const room = { width, height }
  const fitted = fitInto(shape ?? catalogued ?? room, room)
  const fullSize =
    originalSize ?? (catalogued && shape ? uprightSize(catalogued, shape) : (catalogued ?? shape ?? fitted))
  const actualScale = fullSize.width / (fitted.width * window.devicePixelRatio)

  const limits = {
    actualScale,
    minScale: Math.min(1, actualScale),
    maxScale: Math.max(1, actualScale) * deepestZoom
  }

  function onPreviewLoad({ currentTarget: image }: SyntheticEvent<HTMLImageElement>): void {
    setShape(naturalSize(image))
  }

  function onOriginalLoad({ currentTarget: image }: SyntheticEvent<HTMLImageElement>): void {
    setShape((known) => known ?? naturalSize(image))
    setOriginalSize(naturalSize(image))
    setOriginal('shown')
  }

  if (!hasPreview && !hasOriginal) return <NothingToShow asset={asset} />
  return (
    <div ref={mergedRef} className={classes['fill']}>
      {width > 0 && height > 0 && (
        <TransformWrapper
          key={`${Math.round(fitted.width)}x${Math.round(fitted.height)}`}
          minScale={limits.minScale}
          maxScale={limits.maxScale}
          centerOnInit
          centerZoomedOut
          doubleClick={{ disabled: true }}
          wheel={{ disabled: true }}
        >
          <TransformComponent
            wrapperStyle={{ width: '100%', height: '100%' }}
            contentStyle={{ width: fitted.width, height: fitted.height }}
          >
            <div className={classes['picture']} style={fitted} data-testid="picture" data-original={original}>
              {hasPreview && (
                <img
                  src={endpointUrl(getThumbnail.path, { params: { sizePx: 1024, assetId: asset.id } })}
                  alt={asset.name}
                  draggable={false}
                  onLoad={onPreviewLoad}
                />
              )}
              {hasOriginal && (
                <img
                  src={endpointUrl(getMedia.path, { params: { assetId: asset.id } })}
                  alt={hasPreview ? '' : asset.name}
                  draggable={false}
                  decoding="async"
                  data-hidden={original === 'loading' || undefined}
                  onLoad={onOriginalLoad}
                  onError={() => setOriginal('failed')}
                />
              )}
            </div>
          </TransformComponent>
          <ZoomTools stage={stage} limits={limits} />
        </TransformWrapper>
      )}
      {hasOriginal && original === 'loading' && (
        <div className={classes['note']} role="status">
          <Loader size="xs" color="white" />
          {t('inspector.loadingOriginal', { size: formats.bytes(asset.sizeBytes) })}
        </div>
      )}
      {!hasOriginal && (
        <div className={classes['note']} role="status">
          {original === 'failed' ? t('inspector.originalFailed') : t('inspector.previewOnly', { type: asset.mimeType })}
        </div>
      )}
    </div>
  )
}

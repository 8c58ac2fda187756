import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { canShowOriginal, ImageStage } from './ImageStage.tsx'
import { NothingToShow } from './NothingToShow.tsx'
import { StreamNotice } from './StreamNotice.tsx'
import { VideoStage } from './VideoStage.tsx'

/** The asset itself, as far as it can be shown: a picture, a film, or why there is nothing to see. */
export function Stage({ asset }: { asset: AssetDetail }) {
  if (asset.kind === 'stream') return <StreamNotice asset={asset} />
  if (asset.damage === 'bytes_missing' && asset.preview !== 'ready') return <NothingToShow asset={asset} />
  if (asset.kind === 'video' && asset.damage !== 'bytes_missing') return <VideoStage asset={asset} />
  if (asset.preview === 'ready' || canShowOriginal(asset)) return <ImageStage asset={asset} />
  return <NothingToShow asset={asset} />
}

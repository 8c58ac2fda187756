import { IconFileOff } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { canShowOriginal, ImageStage } from './ImageStage.tsx'
import classes from './Stage.module.css'
import { VideoStage } from './VideoStage.tsx'

/** The asset itself, as far as it can be shown: a picture, a film, or why there is nothing to see. */
export function Stage({ asset }: { asset: AssetDetail }) {
  if (asset.damage === 'bytes_missing' && asset.preview !== 'ready') return <NothingToShow asset={asset} />
  if (asset.kind === 'video' && asset.damage !== 'bytes_missing') return <VideoStage asset={asset} />
  if (asset.preview === 'ready' || canShowOriginal(asset)) return <ImageStage asset={asset} />
  return <NothingToShow asset={asset} />
}

function NothingToShow({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  return (
    <div className={classes['nothing']}>
      <IconFileOff size={56} stroke={1.4} aria-hidden />
      <p>{asset.previewProblem === null ? t('inspector.nothingToShow') : t(`media.preview.${asset.previewProblem}`)}</p>
    </div>
  )
}

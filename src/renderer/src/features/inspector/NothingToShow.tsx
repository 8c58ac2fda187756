import { IconFileOff } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import classes from './Stage.module.css'

/** Why there is nothing to see of an asset. */
export function NothingToShow({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  return (
    <div className={classes['nothing']}>
      <IconFileOff size={56} stroke={1.4} aria-hidden />
      <p>{asset.previewProblem === null ? t('inspector.nothingToShow') : t(`media.preview.${asset.previewProblem}`)}</p>
    </div>
  )
}

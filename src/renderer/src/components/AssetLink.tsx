import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import classes from './AssetLink.module.css'
import { FileName } from './FileName.tsx'

/** Opens an asset by its name, which is null where nobody knows it. `className` says how near the text around it stands. */
export function AssetLink({
  assetId,
  name,
  className
}: {
  assetId: string
  name: string | null
  className?: string | undefined
}) {
  const { t } = useTranslation()
  return (
    <Link
      to="/assets/$assetId"
      params={{ assetId }}
      className={`${classes['link']} ${className ?? ''}`}
      aria-label={t('app.openNamed', { name: name ?? assetId })}
    >
      <FileName name={name ?? t('app.openFile')} />
    </Link>
  )
}

import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Callout } from '../../components/Callout.tsx'
import { CopyText } from '../../components/CopyText.tsx'
import { statusQuery } from '../../lib/status-query.ts'
import classes from './FieldAddresses.module.css'

const openToNetwork = '--field 0.0.0.0:8700'

/** The addresses to type into a controller, or why there is none that it could reach. */
export function FieldAddresses() {
  const { t } = useTranslation()
  const urls = useQuery(statusQuery).data?.fieldUrls
  if (urls === undefined) return <Skeleton height={64} mt="sm" radius="md" />
  return (
    <div className={classes['addresses']}>
      {urls.length === 0 && <Callout tone="warn" title={t('field.noAddress')} />}
      {urls.map((url) => (
        <CopyText key={url} text={url} large />
      ))}
      {urls.length > 0 && urls.every(isLoopback) && (
        <Callout tone="warn" title={t('field.loopbackOnly')}>
          {t('field.loopbackOnlyHow', { option: openToNetwork })}
        </Callout>
      )}
    </div>
  )
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}

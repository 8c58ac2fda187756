import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Callout } from '../../components/Callout.tsx'
import { CopyText } from '../../components/CopyText.tsx'
import { statusQuery } from '../../lib/status-query.ts'
import classes from './FieldAddresses.module.css'

/** The addresses to type into a controller, or why there is none that it could reach. */
export function FieldAddresses() {
  const { t } = useTranslation()
  const status = useQuery(statusQuery).data
  if (status === undefined) return <Skeleton height={64} mt="sm" radius="md" />
  const { fieldUrls: urls, s3Urls, store } = status
  const deafField = isLocalOnly(urls) ? urls[0] : undefined
  const deafStore = isLocalOnly(s3Urls) ? s3Urls[0] : undefined
  const options = [
    deafField !== undefined && `--field ${openToNetwork(deafField)}`,
    deafStore !== undefined && store.mode !== 'external' && `--s3 ${openToNetwork(deafStore)}`
  ].filter((option) => option !== false)
  return (
    <div className={classes['addresses']}>
      {urls.length === 0 && <Callout tone="warn" title={t('field.noAddress')} />}
      {urls.map((url) => (
        <CopyText key={url} text={url} large />
      ))}
      {(deafField !== undefined || deafStore !== undefined) && (
        <Callout
          tone="warn"
          title={
            deafField === undefined ? t('field.storeLoopbackOnly', { url: deafStore ?? '' }) : t('field.loopbackOnly')
          }
        >
          {options.length > 0 && <p>{t('field.loopbackOnlyHow', { option: options.join(' ') })}</p>}
          {deafStore !== undefined && store.mode === 'external' && (
            <p>{t('field.storeLoopbackOnlyHow', { setting: 'FLIGHTCASE_S3_PUBLIC_ENDPOINT', url: deafStore })}</p>
          )}
        </Callout>
      )}
    </div>
  )
}

/** The same port, on every network of this computer. */
function openToNetwork(url: string): string {
  const { port, protocol } = new URL(url)
  return `0.0.0.0:${port || (protocol === 'https:' ? '443' : '80')}`
}

function isLocalOnly(urls: readonly string[]): boolean {
  return urls.length > 0 && urls.every(isLoopback)
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}

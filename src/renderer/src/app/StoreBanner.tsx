import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { scarceBytes } from '../../../shared/api/system.ts'
import { useFormats } from '../lib/format.ts'
import { statusQuery } from '../lib/status-query.ts'
import { Banner } from './Banner.tsx'

/** Says when media cannot be stored, or soon cannot. */
export function StoreBanner() {
  const { t } = useTranslation()
  const formats = useFormats()
  const store = useQuery(statusQuery).data?.store
  if (store === undefined) return null
  const detail = store.problem === null ? undefined : t('store.detail', { problem: store.problem })
  if (!store.reachable) return <Banner tone="bad" title={t('store.unreachable')} detail={detail} />
  if (!store.writable) return <Banner tone="bad" title={t('store.notWritable')} detail={detail} />
  if (store.freeBytes !== null && store.freeBytes < scarceBytes)
    return <Banner tone="warn" title={t('store.almostFull', { size: formats.bytes(store.freeBytes) })} />
  return null
}

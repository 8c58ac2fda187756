import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { scarceBytes } from '../../../shared/api/system.ts'
import { useFormats } from '../lib/format.ts'
import { statusQuery } from '../lib/status-query.ts'
import { Banner } from './Banner.tsx'

/** Says when media cannot be stored, or soon cannot. */
export function StoreBanner() {
  const { t } = useTranslation()
  const formats = useFormats()
  const { data } = useQuery(statusQuery)
  if (data === undefined) return null
  const { trouble, problem, freeBytes } = data.store
  // What is said there is about the whole base.
  const action = data.workspaceIds === null && (
    <Button component={Link} to="/storage" variant="white" color="dark">
      {t('storage.see')}
    </Button>
  )
  const detail = problem === null ? undefined : t('store.detail', { problem })
  if (trouble !== null)
    return <Banner tone="bad" title={t(`storage.trouble.${trouble}.what`)} detail={detail} action={action} />
  if (freeBytes !== null && freeBytes < scarceBytes)
    return <Banner tone="warn" title={t('store.almostFull', { size: formats.bytes(freeBytes) })} action={action} />
  return null
}

import { useTranslation } from 'react-i18next'
import type { StoreSettings } from '../../../../shared/api/settings.ts'
import { useFormats } from '../../lib/format.ts'

/** What becomes of the files in the present store when another one is used. */
export function StaysBehind({ settings: { assetTotal: count, assetBytes } }: { settings: StoreSettings }) {
  const { t } = useTranslation()
  const formats = useFormats()
  return (
    <p>
      <strong>
        {t('settings.store.stays', { count, amount: formats.number(count), size: formats.bytes(assetBytes) })}
      </strong>
    </p>
  )
}

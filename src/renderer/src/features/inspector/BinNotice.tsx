import { useTranslation } from 'react-i18next'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { Callout } from '../../components/Callout.tsx'
import { binnedUntil, daysLeftInBin, useBinDays } from '../../lib/bin-time.ts'
import { localDay, useFormats } from '../../lib/format.ts'
import { useMay } from '../../lib/use-may.ts'
import { useNow } from '../../lib/use-now.ts'

/** That an asset is in the bin, when it goes for good, and how it comes back. */
export function BinNotice({ asset: { binnedAt } }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  const mayRestore = useMay('operator')
  if (binnedAt === null) return null
  return (
    <Callout tone="warn" title={t('inspector.inBin')}>
      <div>
        <TimeLeft binnedAt={binnedAt} />
      </div>
      {mayRestore && <div>{t('inspector.inBinText', { restore: t('inspector.restore') })}</div>}
    </Callout>
  )
}

function TimeLeft({ binnedAt }: { binnedAt: string }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const binDays = useBinDays()
  const now = useNow(60_000)
  if (binDays === null) return null
  const count = daysLeftInBin(binnedAt, binDays, now)
  if (count === 0) return t('inspector.inBinGoesSoon')
  return t('inspector.inBinGoes', { count, date: formats.shortDay(localDay(binnedUntil(binnedAt, binDays))) })
}

import { useTranslation } from 'react-i18next'
import type { Storage } from '../../../../shared/api/storage.ts'
import { Section } from '../../components/Section.tsx'
import { useFormats } from '../../lib/format.ts'

const SAME_CLOCK_MS = 60_000

/** What an external store lets one know of it. */
export function LinkCard({ storage: { latencyMs, clockDifferenceMs } }: { storage: Storage }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const differenceMs = Math.abs(clockDifferenceMs ?? 0)
  return (
    <Section title={t('storage.link.title')}>
      {latencyMs !== null && <p>{t('storage.link.latency', { time: formats.latency(latencyMs) })}</p>}
      <p>
        {differenceMs < SAME_CLOCK_MS
          ? t('storage.link.clocks')
          : t('storage.link.clocksDiffer', { time: formats.span(differenceMs) })}
      </p>
    </Section>
  )
}

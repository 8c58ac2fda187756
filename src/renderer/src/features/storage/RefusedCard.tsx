import { useTranslation } from 'react-i18next'
import type { RefusedAction } from '../../../../shared/api/storage.ts'
import { Section } from '../../components/Section.tsx'
import { useFormats } from '../../lib/format.ts'
import { useNow } from '../../lib/use-now.ts'
import classes from './StorageList.module.css'

/** Who was refused what by the store since the start. */
export function RefusedCard({ refused }: { refused: readonly RefusedAction[] }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const nowMs = useNow(60_000)
  return (
    <Section title={t('storage.refused.title')} hint={t('storage.refused.intro')}>
      <ul className={classes['list']}>
        {refused.map(({ who, operation, resource, remoteAddress, count, lastAt }) => (
          <li key={`${who} ${operation} ${lastAt}`}>
            <strong>{who}</strong>
            <span>{t('storage.refused.line', { operation, count, amount: formats.number(count) })}</span>
            <span className={classes['muted']}>
              {t('storage.refused.last', { resource, address: remoteAddress, ago: formats.ago(lastAt, nowMs) })}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

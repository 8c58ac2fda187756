import { useTranslation } from 'react-i18next'
import type { Storage } from '../../../../shared/api/storage.ts'
import { Section } from '../../components/Section.tsx'
import { useFormats } from '../../lib/format.ts'
import classes from './StorageList.module.css'

/** Files that are safe, but out of reach: in a store that was used before. */
export function NotConnectedCard({ stores }: { stores: Storage['notConnected'] }) {
  const { t } = useTranslation()
  const formats = useFormats()
  return (
    <Section title={t('storage.notConnected.title')} hint={t('storage.notConnected.intro')}>
      <ul className={classes['list']}>
        {stores.map(({ place, bucket, assetTotal, assetBytes }) => (
          <li key={`${place} ${bucket}`} data-testid="not-connected">
            <strong>
              {[place ?? t('storage.notConnected.unknown'), bucket].filter((part) => part !== null).join(' · ')}
            </strong>
            <span className={classes['muted']}>
              {t('storage.notConnected.line', {
                count: assetTotal,
                amount: formats.number(assetTotal),
                size: formats.bytes(assetBytes)
              })}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

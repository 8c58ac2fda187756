import { useTranslation } from 'react-i18next'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { useFormats } from '../../lib/format.ts'
import { referenceText } from '../../lib/reference-text.ts'
import classes from './Facts.module.css'
import { Panel } from './Facts.tsx'

type Reference = AssetDetail['references'][number]

/** Who uses the asset, and whether that keeps it from the bin. */
export function ReferencesPanel({ references }: { references: readonly Reference[] }) {
  const { t } = useTranslation()
  return (
    <Panel title={t('inspector.references')}>
      {references.length === 0 ? (
        <p className={classes['none']}>{t('inspector.referencesNone')}</p>
      ) : (
        <ul className={classes['list']}>
          {references.map((reference) => (
            <ReferenceRow key={reference.id} reference={reference} />
          ))}
        </ul>
      )}
    </Panel>
  )
}

function ReferenceRow({ reference }: { reference: Reference }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { kind, expiresAt } = reference
  return (
    <li className={classes['item']} data-testid="reference">
      <span>{referenceText(t, reference)}</span>
      <span className={classes['muted']}>
        {t(`inspector.referenceKind.${kind}`, { until: expiresAt === null ? '' : formats.dateTime(expiresAt) })}
      </span>
    </li>
  )
}

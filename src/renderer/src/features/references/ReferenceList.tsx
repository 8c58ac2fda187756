import { ActionIcon, Tooltip } from '@mantine/core'
import { IconLinkOff } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Reference } from '../../../../shared/api/references.ts'
import { useFormats } from '../../lib/format.ts'
import { referenceText } from '../../lib/reference-text.ts'
import { useMay } from '../../lib/use-may.ts'
import classes from './ReferenceList.module.css'
import { useRemoveReference } from './use-remove-reference.ts'

/** Who uses an asset, since when, and how; whoever may can remove each. */
export function ReferenceList({ references }: { references: readonly Reference[] }) {
  return (
    <ul className={classes['list']}>
      {references.map((reference) => (
        <ReferenceRow key={reference.id} reference={reference} />
      ))}
    </ul>
  )
}

function ReferenceRow({ reference }: { reference: Reference }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const mayRemove = useMay('operator')
  const remove = useRemoveReference()
  const { kind, expiresAt, businessTag, createdAt } = reference
  const holder = referenceText(t, reference)
  return (
    <li className={classes['row']} data-testid="reference">
      <div className={classes['who']}>
        <strong>{holder}</strong>
        <span className={classes['muted']}>
          {t(`inspector.referenceKind.${kind}`, { until: expiresAt === null ? '' : formats.dateTime(expiresAt) })}
        </span>
        {businessTag !== null && <span className={classes['muted']}>{businessTag}</span>}
        <span className={classes['muted']}>{t('references.since', { date: formats.dateTime(createdAt) })}</span>
      </div>
      {mayRemove && (
        <Tooltip label={t('references.remove')}>
          <ActionIcon
            aria-label={t('references.removeLabel', { holder })}
            loading={remove.isPending}
            onClick={() => remove.mutate(reference)}
          >
            <IconLinkOff size={24} />
          </ActionIcon>
        </Tooltip>
      )}
    </li>
  )
}

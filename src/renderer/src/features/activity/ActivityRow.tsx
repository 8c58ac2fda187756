import {
  type Icon,
  IconHistory,
  IconKey,
  IconLinkOff,
  IconShieldLock,
  IconTrash,
  IconTrashOff,
  IconTrashX
} from '@tabler/icons-react'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import type { AuditAction, AuditRecord } from '../../../../shared/api/audit.ts'
import { AssetLink } from '../../components/AssetLink.tsx'
import { FileName } from '../../components/FileName.tsx'
import { useFormats } from '../../lib/format.ts'
import { useNow } from '../../lib/use-now.ts'
import classes from './ActivityRow.module.css'
import { actionText, actorText, detailText, openableAssetId, subjectName } from './activity-text.ts'

const icons: Partial<Record<AuditAction, Icon>> = {
  'asset.binned': IconTrash,
  'asset.restored': IconTrashOff,
  'asset.purged': IconTrashX,
  'bin.emptied': IconTrashX,
  'references.deleted': IconLinkOff,
  'bytes.quarantined': IconShieldLock,
  'token.created': IconKey,
  'token.revoked': IconKey,
  'token.replaced': IconKey
}

/** One thing that was done: what, to what, by whom, when and why. */
export const ActivityRow = memo(function ActivityRow({ record }: { record: AuditRecord }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const now = useNow(60_000)
  const ActionIcon = icons[record.action] ?? IconHistory
  const name = subjectName(record)
  const assetId = openableAssetId(record)
  const { remoteAddress } = record.actor
  return (
    <li className={classes['row']} data-testid="activity" data-action={record.action}>
      <ActionIcon size={24} className={classes['icon']} aria-hidden />
      <div className={classes['what']}>
        <strong>{actionText(t, record.action)}</strong>
        {assetId !== null ? (
          <AssetLink assetId={assetId} name={name} className={classes['asset']} />
        ) : (
          name !== null && <FileName name={name} />
        )}
        {detailText(t, formats, record).map((text) => (
          <span key={text} className={classes['muted']}>
            {text}
          </span>
        ))}
      </div>
      <div className={classes['who']}>
        <span>{actorText(t, record.actor)}</span>
        {remoteAddress !== null && <span className={classes['muted']}>{remoteAddress}</span>}
        <time className={classes['muted']} dateTime={record.at}>
          {formats.recent(record.at, now)}
        </time>
      </div>
    </li>
  )
})

import type { TFunction } from 'i18next'
import { z } from 'zod'
import type { AuditAction, AuditActor, AuditRecord } from '../../../../shared/api/audit.ts'
import type { Formats } from '../../lib/format.ts'
import { en } from '../../lib/i18n/en.ts'
import { referenceText } from '../../lib/reference-text.ts'

type ActionWord = keyof typeof en.activity.action
type ReasonWord = keyof typeof en.activity.reason
type RoleWord = keyof typeof en.activity.roleName

/** What was done in words; an action without words is shown by its name. */
export function actionText(t: TFunction, action: AuditAction): string {
  const word = action.replaceAll('.', '_')
  const isKnown = (name: string): name is ActionWord => Object.hasOwn(en.activity.action, name)
  return isKnown(word) ? t(`activity.action.${word}`) : action
}

/** Who did it, in words. */
export function actorText(t: TFunction, { id, name }: AuditActor): string {
  if (id.startsWith('system:')) return t('activity.bySystem')
  if (id.startsWith('command:')) return t('activity.byCommand', { name })
  if (id.startsWith('configured:')) return t('activity.byLink')
  return name
}

/** The members that records carry, as far as they are shown. */
const dataSchema = z.object({
  name: z.string().nullish().catch(null),
  reason: z.string().nullish().catch(null),
  count: z.number().nullish().catch(null),
  purged: z.number().nullish().catch(null),
  binned: z.number().nullish().catch(null),
  freedBytes: z.number().nullish().catch(null),
  role: z.string().nullish().catch(null),
  namespace: z.string().nullish().catch(null),
  owner: z.string().nullable().catch(null).default(null),
  externalId: z.string().nullable().catch(null).default(null)
})

/** What it was done to, by the name it had; null when it has none. */
export function subjectName({ data }: AuditRecord): string | null {
  return dataSchema.parse(data).name ?? null
}

/** What else there is to tell: why, how much. */
export function detailText(t: TFunction, formats: Formats, { action, data }: AuditRecord): string[] {
  const { reason, count, purged, binned, freedBytes, role, namespace, owner, externalId } = dataSchema.parse(data)
  const isKnown = (word: string): word is ReasonWord => Object.hasOwn(en.activity.reason, word)
  const files = purged ?? binned
  return [
    action === 'references.deleted' && namespace ? referenceText(t, { namespace, owner, externalId }) : null,
    action === 'references.deleted' && count && count > 1
      ? t('activity.uses', { count, amount: formats.number(count) })
      : null,
    files == null ? null : t('activity.files', { count: files, amount: formats.number(files) }),
    freedBytes ? t('activity.freed', { size: formats.bytes(freedBytes) }) : null,
    role ? t('activity.role', { role: roleText(t, role) }) : null,
    // That somebody asked for it is the usual case.
    reason && reason !== 'asked' ? (isKnown(reason) ? t(`activity.reason.${reason}`) : reason) : null
  ].filter((text) => text !== null)
}

/** A role of a newer base is shown by its name. */
function roleText(t: TFunction, role: string): string {
  const isKnown = (word: string): word is RoleWord => Object.hasOwn(en.activity.roleName, word)
  return isKnown(role) ? t(`activity.roleName.${role}`) : role
}

/** The asset that a record is about, where it can still be looked at; else null. */
export function openableAssetId({ action, subject, data }: AuditRecord): string | null {
  if (action === 'asset.purged') return null
  const isOfOneAsset = action.startsWith('asset.') || (action === 'references.deleted' && data['count'] === 1)
  return isOfOneAsset ? subject : null
}

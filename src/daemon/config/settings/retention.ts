import { z } from 'zod'
import { assetKinds } from '../../../shared/api/assets.ts'
import { amountSchema, setting, type ValuesOf } from './setting.ts'

/** `kind=days` with commas between; each kind once. */
const ageRulesSchema = z.string().transform((text, context): TieringRule[] => {
  const rules = text.split(',').map((rule) => {
    const [, kind, days] = /^\s*(\*|[a-z]+)\s*=\s*(\d{1,5}(?:\.\d{1,3})?)\s*$/.exec(rule) ?? []
    const known = [...assetKinds, '*' as const].find((each) => each === kind)
    return known === undefined ? null : { kind: known, afterMs: Number(days) * 86_400_000 }
  })
  const complete = rules.filter((rule) => rule !== null)
  if (complete.length < rules.length || new Set(complete.map(({ kind }) => kind)).size < rules.length) {
    context.addIssue({ code: 'custom', message: `must be kind=days, …; kinds are ${assetKinds.join(', ')} and *` })
    return z.NEVER
  }
  return complete
})

export interface RetentionConfig {
  /** How long an asset may be without a reference. */
  graceMs: number
  /** How long before that is over it is told; no longer than that, 0 for never. */
  warnMs: number
  /** How long an asset stays in the bin. */
  binMs: number
  /** What becomes of assets that nothing holds. */
  orphanPolicy: 'bin' | 'purge' | 'archive'
  /** How long they stay in the archive before they go to the bin. */
  archiveMs: number
}

/** From which age on the bytes of a kind of assets belong to the archive; `*` for kinds that no other rule names. */
export interface TieringRule {
  kind: (typeof assetKinds)[number] | '*'
  afterMs: number
}

export interface DeletionsConfig {
  /** Between the event and the deletion. */
  delayMs: number
  /** Of holders whose namespace an event does not name. */
  namespace: string
}

/** How long things stay, and where. */
export const retentionSettings = {
  graceHours: setting({
    toml: 'retention.grace_hours',
    env: 'FLIGHTCASE_GRACE_HOURS',
    help: 'how long an asset may be without a reference',
    schema: amountSchema(87_600)
  }),
  warnHours: setting({
    toml: 'retention.warn_hours',
    env: 'FLIGHTCASE_WARN_HOURS',
    help: 'how long before that time is over the event `asset.expiring` tells of it; 0: never',
    schema: amountSchema(87_600)
  }),
  binDays: setting({
    toml: 'retention.bin_days',
    env: 'FLIGHTCASE_BIN_DAYS',
    help: 'how long an asset stays in the bin',
    schema: amountSchema(36_500)
  }),
  orphanPolicy: setting({
    toml: 'retention.orphan_policy',
    env: 'FLIGHTCASE_ORPHAN_POLICY',
    help: 'bin, purge or archive: what becomes of assets without a reference after that time',
    schema: z.enum(['bin', 'purge', 'archive'])
  }),
  archiveDays: setting({
    toml: 'retention.archive_days',
    env: 'FLIGHTCASE_ARCHIVE_DAYS',
    help: 'how long an asset without a reference stays in the archive before it goes to the bin',
    schema: amountSchema(36_500)
  }),
  tieringAfterDays: setting({
    toml: 'tiering.after_days',
    env: 'FLIGHTCASE_TIERING_AFTER_DAYS',
    help: 'kinds of assets whose bytes move to the prefix `archive/`, with their age in days: `video=90, *=365`',
    schema: ageRulesSchema
  }),
  deletionDelayHours: setting({
    toml: 'deletions.delay_hours',
    env: 'FLIGHTCASE_DELETION_DELAY_HOURS',
    help: 'how long an asset is kept that another system says it deleted (`drop_deleted`)',
    schema: amountSchema(87_600)
  }),
  deletionNamespace: setting({
    toml: 'deletions.namespace',
    env: 'FLIGHTCASE_DELETION_NAMESPACE',
    help: 'namespace of the references that such an event means when it names a holder without one',
    schema: z.string().min(1).max(256)
  })
} as const

export const retentionDefaults = {
  graceHours: 24,
  warnHours: 6,
  binDays: 30,
  orphanPolicy: 'bin',
  archiveDays: 365,
  deletionDelayHours: 24,
  deletionNamespace: 'drop'
} as const satisfies ValuesOf<typeof retentionSettings>

export function retentionConfig(values: ValuesOf<typeof retentionSettings>): RetentionConfig {
  return {
    graceMs: (values.graceHours ?? retentionDefaults.graceHours) * 3_600_000,
    warnMs:
      Math.min(values.warnHours ?? retentionDefaults.warnHours, values.graceHours ?? retentionDefaults.graceHours) *
      3_600_000,
    binMs: (values.binDays ?? retentionDefaults.binDays) * 86_400_000,
    orphanPolicy: values.orphanPolicy ?? retentionDefaults.orphanPolicy,
    archiveMs: (values.archiveDays ?? retentionDefaults.archiveDays) * 86_400_000
  }
}

export function deletionsConfig(values: ValuesOf<typeof retentionSettings>): DeletionsConfig {
  return {
    delayMs: (values.deletionDelayHours ?? retentionDefaults.deletionDelayHours) * 3_600_000,
    namespace: values.deletionNamespace ?? retentionDefaults.deletionNamespace
  }
}

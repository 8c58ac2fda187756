import type { TFunction } from 'i18next'
import { z } from 'zod'
import { type StoreChoice, type StoreSettings, storeChoices, storeKeys } from '../../../../shared/api/settings.ts'
import { ApiError } from '../../../../shared/api-client.ts'

/** What the form holds; of keys only what was entered now. */
export type StoreDraft = Record<StoreChoice, string>
export type StoreFaults = Partial<Record<StoreChoice, string>>

export const allChoices: readonly StoreChoice[] = [...storeChoices, ...storeKeys]

export function draftOf({ settings }: StoreSettings): StoreDraft {
  return Object.fromEntries(allChoices.map((choice) => [choice, settings[choice].value ?? ''])) as StoreDraft
}

/** Whether it is set where the program is started, so that it cannot be set here. */
export function isFixed({ settings }: StoreSettings, choice: StoreChoice): boolean {
  return !['screen', 'default'].includes(settings[choice].source)
}

/**
 * The draft with another mode. The address for controllers is that of this computer or of the store, so it is not taken along; back in
 * the mode that is set it is the one that is set.
 */
export function withMode(draft: StoreDraft, present: StoreSettings, mode: string): StoreDraft {
  if (mode === draft.mode || isFixed(present, 'publicEndpoint')) return { ...draft, mode }
  const set = draftOf(present)
  return { ...draft, mode, publicEndpoint: mode === set.mode ? set.publicEndpoint : '' }
}

/** Whether another store than the one that is set is used, or another bucket of it. */
export function movesAway(draft: StoreDraft, present: StoreSettings): boolean {
  const changes = changesOf(draft, present)
  if ((draft.mode === 'embedded') !== (draftOf(present).mode === 'embedded')) return true
  return 'bucket' in changes || (draft.mode !== 'embedded' && 'endpoint' in changes)
}

/** What differs from what is set; an empty field goes back to the default, an empty key stays. */
export function changesOf(draft: StoreDraft, present: StoreSettings): Partial<Record<StoreChoice, string | null>> {
  const before = draftOf(present)
  const changed = allChoices.filter((choice) => draft[choice].trim() !== before[choice] && !isFixed(present, choice))
  return Object.fromEntries(changed.map((choice) => [choice, draft[choice].trim() || null]))
}

/** What the base refused, in words at its field; empty for what belongs to none. */
export function faultsOf(t: TFunction, error: unknown): StoreFaults {
  const details = error instanceof ApiError ? error.problem?.details : undefined
  const { missing = [], issues = [] } = faultSchema.safeParse(details).data ?? {}
  const words: Partial<Record<string, string>> = {
    endpoint: t('settings.store.faults.address'),
    publicEndpoint: t('settings.store.faults.address'),
    bucket: t('settings.store.faults.bucket')
  }
  return Object.fromEntries([
    ...issues.map(({ path }) => [path, words[path] ?? t('settings.store.faults.other')]),
    ...missing.map((choice) => [choice, t('settings.store.faults.needed')])
  ])
}

/** Why these choices cannot be had together, as far as the base told; null where that stands at the fields. */
export function reasonOf(t: TFunction, error: unknown): { text: string | null; reported: string | null } | null {
  const details = error instanceof ApiError ? error.problem?.details : undefined
  const { reason, reported = null } = faultSchema.safeParse(details).data ?? {}
  if (reason === undefined && reported === null) return null
  return { text: reason === undefined ? null : t(`settings.store.faults.${reason}`), reported }
}

const faultSchema = z.object({
  reason: z.enum(['needs_gateway', 'needs_role']).optional().catch(undefined),
  reported: z.string().optional(),
  missing: z.array(z.string()).optional(),
  issues: z.array(z.object({ path: z.string() })).optional()
})

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

const faultSchema = z.object({
  missing: z.array(z.string()).optional(),
  issues: z.array(z.object({ path: z.string() })).optional()
})

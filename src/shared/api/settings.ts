import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'

/** Where the value of a setting comes from, the strongest first: what stands before `screen` cannot be changed there. */
export const settingSources = ['option', 'environment', 'file', 'screen', 'default'] as const
export type SettingSource = (typeof settingSources)[number]

/** What the screen can set of the store; the others are for whoever writes the configuration file. */
export const storeChoices = ['mode', 'profile', 'endpoint', 'publicEndpoint', 'region', 'bucket'] as const
export const storeKeys = ['accessKey', 'secretKey'] as const
export type StoreChoice = (typeof storeChoices)[number] | (typeof storeKeys)[number]

const settingSchema = z.object({
  /** Of what is a secret always null. */
  value: z.string().nullable(),
  isSet: z.boolean(),
  source: z.enum(settingSources),
  /** How that source calls it, with the file where it is one: `FLIGHTCASE_S3_BUCKET`. Null for a default. */
  where: z.string().nullable()
})

export const storeSettingsSchema = z
  .object({
    /** What holds from the next start on. */
    settings: z.record(z.enum([...storeChoices, ...storeKeys]), settingSchema),
    modes: z.array(z.string()),
    profiles: z.array(z.string()),
    /** The store in use now: its folder or its address. */
    present: z.object({ mode: z.string(), place: z.string(), bucket: z.string() }),
    /** What was chosen is not in use yet. */
    needsRestart: z.boolean(),
    /** After the restart another store is in use, or another bucket of it; what lies in the present one stays there. */
    movesAway: z.boolean(),
    /** What lies in the present one. */
    assetTotal: z.int(),
    assetBytes: z.number()
  })
  .meta({ id: 'StoreSettings' })
export type StoreSettings = z.infer<typeof storeSettingsSchema>

/** What is left out stays as it is; null goes back to the default. */
const choicesSchema = z.strictObject({
  ...Object.fromEntries([...storeChoices, ...storeKeys].map((name) => [name, z.string().trim().max(2048).nullish()]))
}) as z.ZodObject<Record<StoreChoice, z.ZodOptional<z.ZodNullable<z.ZodString>>>>

export const getStoreSettings = defineEndpoint({
  name: 'getStoreSettings',
  method: 'GET',
  path: '/api/v1/settings/store',
  tag: 'Operations',
  summary: 'Settings of the store, each with where it comes from; secrets are never told',
  role: 'admin',
  response: storeSettingsSchema,
  errors: []
})

export const changeStoreSettings = defineEndpoint({
  name: 'changeStoreSettings',
  method: 'PATCH',
  path: '/api/v1/settings/store',
  tag: 'Operations',
  summary: 'Choose the store that is used from the next start on',
  role: 'admin',
  body: choicesSchema,
  response: storeSettingsSchema,
  errors: ['invalid_request', 'setting_fixed', 'settings_incomplete']
})

export const revertStoreSettings = defineEndpoint({
  name: 'revertStoreSettings',
  method: 'POST',
  path: '/api/v1/settings/store/revert',
  tag: 'Operations',
  summary: 'Take back what was chosen since the start: the store in use now stays',
  role: 'admin',
  response: storeSettingsSchema,
  errors: []
})

/** In the order in which they are tried. */
export const connectionSteps = ['reach', 'clock', 'credentials', 'bucket', 'write', 'sts', 'policy'] as const

/** What a step found; the words are the screen's. */
export const connectionDetails = [
  'ok',
  'not_tried',
  'refused',
  'unknown_host',
  'untrusted_certificate',
  'no_answer',
  'clock_differs',
  'unknown_access_key',
  'wrong_secret_key',
  'no_bucket',
  'wrong_region',
  'denied',
  'full',
  'other_bytes',
  'no_sts',
  'sts_refused',
  'wrong_role',
  'too_wide',
  'too_narrow',
  'unexpected'
] as const

export const connectionStepSchema = z
  .object({
    name: z.enum(connectionSteps),
    outcome: z.enum(['ok', 'failed', 'skipped']),
    detail: z.enum(connectionDetails),
    /** What the server or the network said, for a step that failed. */
    reported: z.string().nullable()
  })
  .meta({ id: 'ConnectionStep' })
export type ConnectionStep = z.infer<typeof connectionStepSchema>

export const testStoreSettings = defineEndpoint({
  name: 'testStoreSettings',
  method: 'POST',
  path: '/api/v1/settings/store/test',
  tag: 'Operations',
  summary: 'Try out an external store with these choices, without saving them; what it writes is removed again',
  role: 'admin',
  body: choicesSchema,
  response: z.object({ steps: z.array(connectionStepSchema) }),
  errors: ['invalid_request', 'setting_fixed', 'settings_incomplete']
})

export const settingsContract = [getStoreSettings, changeStoreSettings, revertStoreSettings, testStoreSettings]

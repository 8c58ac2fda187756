import { amountSchema, setting, type ValuesOf } from './setting.ts'
import { typeRulesSchema, type UploadTypeRule } from './type-rules.ts'

/** What applications may upload. Controllers are never refused: their files are somebody's only copies. */
export interface UploadConfig {
  maxSizeBytes: number
  /** The most specific one counts; a type without any is refused. */
  types: readonly UploadTypeRule[]
  maxImagePixels: number
  /** Of a workspace that has none of its own; null for no limit. */
  quotaBytes: number | null
}

/** What applications may upload. */
export const uploadsSettings = {
  uploadMaxGb: setting({
    toml: 'uploads.max_gb',
    env: 'FLIGHTCASE_UPLOAD_MAX_GB',
    help: 'largest file that applications may upload, in GB',
    schema: amountSchema(5000)
  }),
  uploadTypes: setting({
    toml: 'uploads.types',
    env: 'FLIGHTCASE_UPLOAD_TYPES',
    help: 'types of files that applications may upload, by content, with a smaller limit in GB where one holds: `image/*=0.5, video/*`',
    schema: typeRulesSchema
  }),
  uploadMaxMegapixels: setting({
    toml: 'uploads.max_megapixels',
    env: 'FLIGHTCASE_UPLOAD_MAX_MEGAPIXELS',
    help: 'largest picture that applications may upload, in millions of pixels',
    schema: amountSchema(100_000)
  }),
  uploadQuotaGb: setting({
    toml: 'uploads.quota_gb',
    env: 'FLIGHTCASE_UPLOAD_QUOTA_GB',
    help: 'how much applications may keep in each workspace, in GB, where the workspace has no quota of its own',
    schema: amountSchema(1_000_000)
  })
} as const

export const uploadsDefaults = {
  uploadMaxGb: 100,
  uploadMaxMegapixels: 500
} as const satisfies ValuesOf<typeof uploadsSettings>

export function uploadConfig(values: ValuesOf<typeof uploadsSettings>): UploadConfig {
  return {
    maxSizeBytes: Math.round((values.uploadMaxGb ?? uploadsDefaults.uploadMaxGb) * 1e9),
    types: values.uploadTypes ?? [{ pattern: '*/*', maxSizeBytes: null }],
    maxImagePixels: Math.round((values.uploadMaxMegapixels ?? uploadsDefaults.uploadMaxMegapixels) * 1e6),
    quotaBytes: values.uploadQuotaGb === undefined ? null : Math.round(values.uploadQuotaGb * 1e9)
  }
}

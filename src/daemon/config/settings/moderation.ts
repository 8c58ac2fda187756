import { z } from 'zod'
import { assetKinds } from '../../../shared/api/assets.ts'
import { httpUrlSchema, listSchema, setting, type ValuesOf } from './setting.ts'

export interface ModerationConfig {
  /** The service that judges new assets of these kinds; null: nobody is asked. */
  hook: { url: string; secret: string; kinds: readonly (typeof assetKinds)[number][] } | null
  /** What becomes of the bytes of rejected assets. */
  onReject: 'none' | 'quarantine'
}

/** Who judges content. */
export const moderationSettings = {
  moderationUrl: setting({
    toml: 'moderation.url',
    env: 'FLIGHTCASE_MODERATION_URL',
    help: 'service that judges the content of new files',
    schema: httpUrlSchema
  }),
  moderationSecret: setting({
    toml: 'moderation.secret',
    env: 'FLIGHTCASE_MODERATION_SECRET',
    help: 'secret of the signatures for that service: `whsec_` and base64',
    secret: true,
    schema: z.string().regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and 24 to 64 bytes in base64')
  }),
  moderationKinds: setting({
    toml: 'moderation.kinds',
    env: 'FLIGHTCASE_MODERATION_KINDS',
    help: 'kinds of files that it judges: image, video, audio, document, other',
    schema: listSchema(z.string()).pipe(z.array(z.enum(assetKinds)))
  }),
  moderationOnReject: setting({
    toml: 'moderation.on_reject',
    env: 'FLIGHTCASE_MODERATION_ON_REJECT',
    help: 'none or quarantine: what becomes of the bytes of rejected files',
    schema: z.enum(['none', 'quarantine'])
  })
} as const

export const moderationDefaults = {
  moderationKinds: ['image', 'video'],
  moderationOnReject: 'none'
} as const satisfies ValuesOf<typeof moderationSettings>

export function moderationConfig(values: ValuesOf<typeof moderationSettings>): ModerationConfig {
  return {
    hook:
      values.moderationUrl === undefined || values.moderationSecret === undefined
        ? null
        : {
            url: values.moderationUrl,
            secret: values.moderationSecret,
            kinds: values.moderationKinds ?? moderationDefaults.moderationKinds
          },
    onReject: values.moderationOnReject ?? moderationDefaults.moderationOnReject
  }
}

/** What is missing beside what was given. */
export function missingForModeration(given: ReadonlySet<string>): string[] {
  const { env, toml } = moderationSettings.moderationSecret
  if (!given.has('moderationUrl') || given.has('moderationSecret')) return []
  return [`${env} (${toml}): needed with a moderation service`]
}

import { z } from 'zod'
import { amountSchema, hostSchema, httpUrlSchema, listSchema, setting, switchSchema, type ValuesOf } from './setting.ts'

const originSchema = z.string().regex(/^(\*|https?:\/\/[^/\s,]+)$/, 'must be origins such as https://example.org, or *')

export interface DeliveryConfig {
  /** Links lead to the object store. */
  usePresign: boolean
  linkTtlSeconds: number
  /** Without a slash at the end, as the next one. */
  publicUrl: string | null
  cdnBaseUrl: string | null
  /** Names that are no foreign ones, with those of the two addresses. */
  publicHosts: string[]
  refererRule: { hosts: string[]; allowEmpty: boolean }
  corsOrigins: string[]
}

/** How files are handed out. */
export const deliverySettings = {
  usePresign: setting({
    toml: 'delivery.use_presign',
    env: 'FLIGHTCASE_USE_PRESIGN',
    help: 'links to files lead to the object store instead of to this program',
    schema: switchSchema
  }),
  presignUrlTtlSeconds: setting({
    toml: 'delivery.presign_url_ttl_seconds',
    env: 'FLIGHTCASE_PRESIGN_URL_TTL_SECONDS',
    help: 'how long a link to a file is good when nobody says, at most a week',
    schema: amountSchema(604_800).pipe(z.int('must be whole seconds').min(1, 'must be at least 1'))
  }),
  publicUrl: setting({
    toml: 'delivery.public_url',
    env: 'FLIGHTCASE_PUBLIC_URL',
    help: 'where a reverse proxy shows the admin listener; links to files begin with it',
    schema: httpUrlSchema
  }),
  cdnBaseUrl: setting({
    toml: 'delivery.cdn_base_url',
    env: 'FLIGHTCASE_CDN_BASE_URL',
    help: 'where a CDN shows the admin listener; addresses of public files begin with it',
    schema: httpUrlSchema
  }),
  publicHosts: setting({
    toml: 'delivery.public_hosts',
    env: 'FLIGHTCASE_PUBLIC_HOSTS',
    help: 'further host names that proxies and CDNs send to the admin listener',
    schema: listSchema(hostSchema(''))
  }),
  referers: setting({
    toml: 'delivery.referers',
    env: 'FLIGHTCASE_REFERERS',
    help: 'hosts whose pages may show files without a token (*.example.org: all below it); none: every page may',
    schema: listSchema(hostSchema('(\\*\\.)?'))
  }),
  emptyReferer: setting({
    toml: 'delivery.empty_referer',
    env: 'FLIGHTCASE_EMPTY_REFERER',
    help: 'allow or refuse: requests that name no page, where referers is set',
    schema: z.enum(['allow', 'refuse'])
  }),
  corsOrigins: setting({
    toml: 'delivery.cors_origins',
    env: 'FLIGHTCASE_CORS_ORIGINS',
    help: 'origins whose scripts may read files without a token and use signed links to the embedded store; * for all',
    schema: listSchema(originSchema)
  })
} as const

export const deliveryDefaults = {
  presignUrlTtlSeconds: 3600,
  emptyReferer: 'allow'
} as const satisfies ValuesOf<typeof deliverySettings>

export function deliveryConfig(values: ValuesOf<typeof deliverySettings>): DeliveryConfig {
  const { publicUrl = null, cdnBaseUrl = null, publicHosts = [] } = values
  const shown = [publicUrl, cdnBaseUrl].flatMap((url) => (url === null ? [] : [new URL(url).hostname]))
  return {
    usePresign: values.usePresign ?? false,
    linkTtlSeconds: values.presignUrlTtlSeconds ?? deliveryDefaults.presignUrlTtlSeconds,
    publicUrl,
    cdnBaseUrl,
    publicHosts: [...publicHosts, ...shown],
    refererRule: {
      hosts: values.referers ?? [],
      allowEmpty: (values.emptyReferer ?? deliveryDefaults.emptyReferer) === 'allow'
    },
    corsOrigins: values.corsOrigins ?? []
  }
}

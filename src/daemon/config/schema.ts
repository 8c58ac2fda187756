import { z } from 'zod'
import { assetKinds } from '../../shared/api/assets.ts'
import { type Role, roles } from '../../shared/api/system.ts'

/** `HOST:PORT`, `[V6]:PORT` or a bare port; port 0 takes any free one. */
const listenSchema = z.string().transform((text, context) => {
  const match = /^(?:(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535) {
    context.addIssue({ code: 'custom', message: 'must be HOST:PORT, with a port from 0 to 65535' })
    return z.NEVER
  }
  return { host: match[1] ?? match[2] ?? null, port }
})

const httpUrlSchema = z
  .url({ protocol: /^https?$/, error: 'must be a URL beginning with http:// or https://' })
  .transform((url) => url.replace(/\/+$/, ''))

/** An array in the file; elsewhere one text with commas. */
const listSchema = (item: z.ZodType<string, string>) =>
  z
    .union([
      z.array(z.string()),
      z.string().transform((text) =>
        text
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== '')
      )
    ])
    .pipe(z.array(item))
const HOST_NAME = '[a-z0-9_-]+(\\.[a-z0-9_-]+)*'
const hostSchema = (prefix: string) =>
  z
    .string()
    .toLowerCase()
    .regex(new RegExp(`^${prefix}${HOST_NAME}$`), 'must be host names without scheme and port')
const portsSchema = z
  .union([z.array(z.int()), z.string().transform((text) => text.split(',').map(Number))])
  .pipe(z.array(z.int('must be ports').min(1, 'must be ports').max(65_535, 'must be ports')))
const originSchema = z.string().regex(/^(\*|https?:\/\/[^/\s,]+)$/, 'must be origins such as https://example.org, or *')

const switchSchema = z.union([z.boolean(), z.stringbool()])
const amountSchema = (max: number) =>
  z
    .string()
    .regex(/^\d{1,9}(\.\d{1,9})?$/, 'must be a number')
    .transform(Number)
    .pipe(z.number().max(max, `must be at most ${max}`))
const TYPE_RULE = /^(\*\/\*|[\w.+-]+\/(?:\*|[\w.+-]+))(?:=(\d{1,4}(?:\.\d{1,9})?))?$/
/** `image/*=0.5, video/*`: the types that are allowed, each with the largest size in GB where the general one is too much. */
const typeRulesSchema = z.string().transform((text, context): UploadTypeRule[] =>
  text.split(',').flatMap((rule) => {
    const [, pattern, maxGb] = TYPE_RULE.exec(rule.replaceAll(/\s/g, '')) ?? []
    if (pattern !== undefined)
      return {
        pattern: pattern.toLowerCase(),
        maxSizeBytes: maxGb === undefined ? null : Math.round(Number(maxGb) * 1e9)
      }
    context.addIssue({ code: 'custom', message: 'must be a list like image/*, video/mp4=2, application/pdf=0.1' })
    return []
  })
)
/** Keys that come over a network must not be exchanged on the way; on this machine nobody can. */
const jwksSchema = z
  .string()
  .min(1)
  .refine(
    (text) => !/^https?:/.test(text) || /^https:|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(text),
    'must be an https address or the path of a file'
  )

/** Signatures with a key pair only: what is published as a key must never be taken for a shared secret. */
const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519'
] as const

const roleNamesSchema = z.string().transform((text, context): ReadonlyMap<string, Role> => {
  const names = new Map<string, Role>()
  for (const pair of text.split(',')) {
    const [name = '', role] = pair.split('=').map((part) => part.trim())
    const known = roles.find((candidate) => candidate === role)
    if (name === '' || !known) context.addIssue({ code: 'custom', message: `must be NAME=ROLE: ${pair.trim()}` })
    else names.set(name, known)
  }
  return names
})

/** Travels in headers, and in `Authorization` up to the next space. */
const tokenSchema = z
  .string()
  .min(8, 'must have at least 8 characters')
  .regex(/^[!-~]*$/, 'may hold letters, digits and signs of ASCII, but no spaces')

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

/** What a setting is called in each source and how its text is checked. */
interface SettingDefinition {
  /** Dotted name in flightcase.toml. */
  toml: string
  env: string
  /** Command line option of `serve`, when it has one. */
  flag?: string
  help: string
  secret?: true
  schema: z.ZodType
}

function setting<const T extends SettingDefinition>(definition: T): T {
  return definition
}

/** Every setting, in the order the documentation lists them. */
export const settings = {
  dataDir: setting({
    toml: 'data_dir',
    env: 'FLIGHTCASE_DATA_DIR',
    flag: '--data-dir',
    help: 'folder for everything Flightcase keeps',
    schema: z.string().min(1)
  }),
  field: setting({
    toml: 'field',
    env: 'FLIGHTCASE_FIELD',
    flag: '--field',
    help: 'address of the listener that controllers talk to',
    schema: listenSchema
  }),
  admin: setting({
    toml: 'admin',
    env: 'FLIGHTCASE_ADMIN',
    flag: '--admin',
    help: 'address of the screen and the admin API',
    schema: listenSchema
  }),
  s3: setting({
    toml: 's3',
    env: 'FLIGHTCASE_S3',
    flag: '--s3',
    help: 'address of the embedded object store',
    schema: listenSchema
  }),
  mqtt: setting({
    toml: 'mqtt',
    env: 'FLIGHTCASE_MQTT',
    flag: '--mqtt',
    help: 'address of the message broker for the link that controllers keep open',
    schema: listenSchema
  }),
  logLevel: setting({
    toml: 'log_level',
    env: 'FLIGHTCASE_LOG_LEVEL',
    flag: '--log-level',
    help: 'fatal, error, warn, info, debug or silent',
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
  }),
  adminToken: setting({
    toml: 'admin_token',
    env: 'FLIGHTCASE_ADMIN_TOKEN',
    help: 'fixed admin token; without it every start makes a new one',
    secret: true,
    schema: tokenSchema
  }),
  pilotToken: setting({
    toml: 'pilot.token',
    env: 'FLIGHTCASE_PILOT_TOKEN',
    help: 'fixed token for all controllers, beside the ones issued one by one',
    secret: true,
    schema: tokenSchema
  }),
  pilotWorkspaceMode: setting({
    toml: 'pilot.workspace_mode',
    env: 'FLIGHTCASE_PILOT_WORKSPACE_MODE',
    help: 'open: any workspace id works; strict: only known ones',
    schema: z.enum(['open', 'strict'])
  }),
  pilotPrefixPerDevice: setting({
    toml: 'pilot.prefix_per_device',
    env: 'FLIGHTCASE_PILOT_PREFIX_PER_DEVICE',
    help: 'auto, on or off: give each controller an upload folder of its own',
    schema: z.enum(['auto', 'on', 'off'])
  }),
  pilotTrustForwardedHeaders: setting({
    toml: 'pilot.trust_forwarded_headers',
    env: 'FLIGHTCASE_PILOT_TRUST_FORWARDED_HEADERS',
    help: 'believe X-Forwarded-Host and -Proto of a reverse proxy',
    schema: switchSchema
  }),
  pilotLegacyKeyRoots: setting({
    toml: 'pilot.legacy_key_roots',
    env: 'FLIGHTCASE_PILOT_LEGACY_KEY_ROOTS',
    help: 'also accept object keys beginning with the bare workspace id',
    schema: switchSchema
  }),
  pilotCallbackDataObject: setting({
    toml: 'pilot.callback_data_object',
    env: 'FLIGHTCASE_PILOT_CALLBACK_DATA_OBJECT',
    help: 'answer upload callbacks with an object instead of the bare key',
    schema: switchSchema
  }),
  pilotStsCompatibilityFields: setting({
    toml: 'pilot.sts_compatibility_fields',
    env: 'FLIGHTCASE_PILOT_STS_COMPATIBILITY_FIELDS',
    help: 'repeat the credentials under the names older servers used',
    schema: switchSchema
  }),
  pilotRecorder: setting({
    toml: 'pilot.recorder',
    env: 'FLIGHTCASE_PILOT_RECORDER',
    flag: '--record-pilot',
    help: 'write every controller request and answer (secrets removed) to pilot-recorder.jsonl',
    schema: switchSchema
  }),
  objectStore: setting({
    toml: 'store.mode',
    env: 'FLIGHTCASE_OBJECT_STORE',
    help: 'embedded or external',
    schema: z.enum(['embedded', 'external'])
  }),
  s3Endpoint: setting({
    toml: 'store.endpoint',
    env: 'FLIGHTCASE_S3_ENDPOINT',
    help: 'external store as the daemon reaches it',
    schema: httpUrlSchema
  }),
  s3PublicEndpoint: setting({
    toml: 'store.public_endpoint',
    env: 'FLIGHTCASE_S3_PUBLIC_ENDPOINT',
    help: 'store as controllers reach it, when that is not the address they already use',
    schema: httpUrlSchema
  }),
  s3AccessKey: setting({
    toml: 'store.access_key',
    env: 'FLIGHTCASE_S3_ACCESS_KEY',
    help: 'access key of the external store',
    secret: true,
    schema: z.string().min(1)
  }),
  s3SecretKey: setting({
    toml: 'store.secret_key',
    env: 'FLIGHTCASE_S3_SECRET_KEY',
    help: 'secret key of the external store',
    secret: true,
    schema: z.string().min(1)
  }),
  s3Bucket: setting({
    toml: 'store.bucket',
    env: 'FLIGHTCASE_S3_BUCKET',
    help: 'bucket that holds the media',
    schema: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a valid bucket name')
  }),
  s3Region: setting({
    toml: 'store.region',
    env: 'FLIGHTCASE_S3_REGION',
    help: 'region that requests are signed for',
    schema: z.string().min(1).max(64)
  }),
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
  }),
  renditionsProxy: setting({
    toml: 'renditions.proxy',
    env: 'FLIGHTCASE_RENDITIONS_PROXY',
    help: 'auto, on_demand or off: when films that browsers cannot play are made again as H.264',
    schema: z.enum(['auto', 'on_demand', 'off'])
  }),
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
  webhooksPublicOnly: setting({
    toml: 'webhooks.public_only',
    env: 'FLIGHTCASE_WEBHOOKS_PUBLIC_ONLY',
    help: 'refuse webhooks to addresses that only this network reaches',
    schema: switchSchema
  }),
  remoteEnabled: setting({
    toml: 'remote.enabled',
    env: 'FLIGHTCASE_REMOTE_ENABLED',
    help: 'fetch files from addresses that applications name, and keep them for a while',
    schema: switchSchema
  }),
  remoteDomains: setting({
    toml: 'remote.domains',
    env: 'FLIGHTCASE_REMOTE_DOMAINS',
    help: 'hosts that files are fetched from (*.example.org: all below it); none: every public one',
    schema: listSchema(hostSchema('(\\*\\.)?'))
  }),
  remotePorts: setting({
    toml: 'remote.ports',
    env: 'FLIGHTCASE_REMOTE_PORTS',
    help: 'ports that files are fetched from',
    schema: portsSchema
  }),
  remoteTypes: setting({
    toml: 'remote.types',
    env: 'FLIGHTCASE_REMOTE_TYPES',
    help: 'types of files that are fetched, by content, as in `uploads.types`; pictures, video and audio when left out',
    schema: typeRulesSchema
  }),
  remoteMaxGb: setting({
    toml: 'remote.max_gb',
    env: 'FLIGHTCASE_REMOTE_MAX_GB',
    help: 'largest file that is fetched, in GB',
    schema: amountSchema(5000)
  }),
  remoteTotalGb: setting({
    toml: 'remote.total_gb',
    env: 'FLIGHTCASE_REMOTE_TOTAL_GB',
    help: 'how much is kept of all of them; the least used go first',
    schema: amountSchema(1_000_000)
  }),
  remoteMaxAgeHours: setting({
    toml: 'remote.max_age_hours',
    env: 'FLIGHTCASE_REMOTE_MAX_AGE_HOURS',
    help: 'how long a file is fresh: after that its origin is asked whether it changed',
    schema: amountSchema(87_600)
  }),
  remoteKeepDays: setting({
    toml: 'remote.keep_days',
    env: 'FLIGHTCASE_REMOTE_KEEP_DAYS',
    help: 'how long a file is kept that nobody asks for or reads',
    schema: amountSchema(36_500)
  }),
  remoteTimeoutSeconds: setting({
    toml: 'remote.timeout_seconds',
    env: 'FLIGHTCASE_REMOTE_TIMEOUT_SECONDS',
    help: 'how long fetching a file may take, at most an hour',
    schema: amountSchema(3600)
  }),
  remoteMaxRedirects: setting({
    toml: 'remote.max_redirects',
    env: 'FLIGHTCASE_REMOTE_MAX_REDIRECTS',
    help: 'how many redirects are followed',
    schema: amountSchema(20).pipe(z.int('must be a whole number'))
  }),
  remoteAllowPrivate: setting({
    toml: 'remote.allow_private',
    env: 'FLIGHTCASE_REMOTE_ALLOW_PRIVATE',
    help: 'also fetch from this machine and the networks that it is in',
    schema: switchSchema
  }),
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
    help: 'origins whose scripts may read files without a token; * for all',
    schema: listSchema(originSchema)
  }),
  otlpEndpoint: setting({
    toml: 'telemetry.otlp_endpoint',
    env: 'FLIGHTCASE_OTLP_ENDPOINT',
    help: 'OpenTelemetry collector (OTLP over HTTP) that gets traces and metrics',
    schema: httpUrlSchema
  }),
  redisUrl: setting({
    toml: 'redis.url',
    env: 'FLIGHTCASE_REDIS_URL',
    help: 'Redis that is told what happens, with user and password where it wants them',
    secret: true,
    schema: z.url({ protocol: /^rediss?$/, error: 'must be a URL beginning with redis:// or rediss://' })
  }),
  redisStream: setting({
    toml: 'redis.stream',
    env: 'FLIGHTCASE_REDIS_STREAM',
    help: 'key of the stream that gets every event',
    schema: z.string().min(1).max(512)
  }),
  redisStreamMax: setting({
    toml: 'redis.stream_max',
    env: 'FLIGHTCASE_REDIS_STREAM_MAX',
    help: 'about how many events the stream keeps',
    schema: amountSchema(1e9).pipe(z.int('must be a whole number').min(1, 'must be at least 1'))
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
  }),
  kafkaBrokers: setting({
    toml: 'kafka.brokers',
    env: 'FLIGHTCASE_KAFKA_BROKERS',
    help: 'Kafka brokers (HOST:PORT) that are told what happens',
    schema: listSchema(z.string().regex(/^[^\s,/:]+:\d{1,5}$/, 'must be HOST:PORT')).refine((list) => list.length > 0)
  }),
  kafkaTopic: setting({
    toml: 'kafka.topic',
    env: 'FLIGHTCASE_KAFKA_TOPIC',
    help: 'topic that gets every event',
    schema: z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'must be the name of a topic')
  }),
  kafkaTls: setting({
    toml: 'kafka.tls',
    env: 'FLIGHTCASE_KAFKA_TLS',
    help: 'talk to Kafka through TLS',
    schema: switchSchema
  }),
  kafkaUsername: setting({
    toml: 'kafka.username',
    env: 'FLIGHTCASE_KAFKA_USERNAME',
    help: 'user for Kafka, where it wants one',
    schema: z.string().min(1)
  }),
  kafkaPassword: setting({
    toml: 'kafka.password',
    env: 'FLIGHTCASE_KAFKA_PASSWORD',
    help: 'password of that user',
    secret: true,
    schema: z.string().min(1)
  }),
  kafkaSasl: setting({
    toml: 'kafka.sasl',
    env: 'FLIGHTCASE_KAFKA_SASL',
    help: 'PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512: how that user signs in',
    schema: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
  }),
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
  }),
  requestsPerMinute: setting({
    toml: 'limits.requests_per_minute',
    env: 'FLIGHTCASE_REQUESTS_PER_MINUTE',
    help: 'operations of the admin listener for each token or person, without one for each address; 0: no limit',
    schema: amountSchema(10_000_000).pipe(z.int())
  }),
  mediaPerMinute: setting({
    toml: 'limits.media_per_minute',
    env: 'FLIGHTCASE_MEDIA_PER_MINUTE',
    help: 'originals and previews for each address; 0: no limit',
    schema: amountSchema(10_000_000).pipe(z.int())
  }),
  failedSignInsPerMinute: setting({
    toml: 'limits.failed_sign_ins_per_minute',
    env: 'FLIGHTCASE_FAILED_SIGN_INS_PER_MINUTE',
    help: 'wrong tokens for each address, before it is not heard for a minute; 0: no limit',
    schema: amountSchema(1000).pipe(z.int())
  }),
  jwtIssuer: setting({
    toml: 'jwt.issuer',
    env: 'FLIGHTCASE_JWT_ISSUER',
    help: 'identity provider whose tokens (JWT) open the admin listener: their `iss`',
    schema: z.string().min(1)
  }),
  jwtAudience: setting({
    toml: 'jwt.audience',
    env: 'FLIGHTCASE_JWT_AUDIENCE',
    help: 'what those tokens must be for: their `aud`',
    schema: z.string().min(1)
  }),
  jwtJwks: setting({
    toml: 'jwt.jwks',
    env: 'FLIGHTCASE_JWT_JWKS',
    help: 'where the public keys of the provider are (JWKS): an https address, or a file where there is no Internet',
    schema: jwksSchema
  }),
  jwtAlgorithms: setting({
    toml: 'jwt.algorithms',
    env: 'FLIGHTCASE_JWT_ALGORITHMS',
    help: 'algorithms of its signatures',
    schema: listSchema(z.string()).pipe(z.array(z.enum(JWT_ALGORITHMS)).min(1))
  }),
  jwtRoleClaim: setting({
    toml: 'jwt.role_claim',
    env: 'FLIGHTCASE_JWT_ROLE_CLAIM',
    help: 'claim that names the role; dots lead into objects: `realm_access.roles`',
    schema: z.string().min(1)
  }),
  jwtRoles: setting({
    toml: 'jwt.roles',
    env: 'FLIGHTCASE_JWT_ROLES',
    help: 'what the provider calls the roles, where not as we do: `media-admins=admin, pilots=operator, everyone=viewer`',
    schema: roleNamesSchema
  }),
  jwtWorkspaceClaim: setting({
    toml: 'jwt.workspace_claim',
    env: 'FLIGHTCASE_JWT_WORKSPACE_CLAIM',
    help: 'claim that names the workspaces a token is limited to (`*`: all); without this setting no token is',
    schema: z.string().min(1)
  }),
  ffmpeg: setting({
    toml: 'ffmpeg',
    env: 'FLIGHTCASE_FFMPEG',
    help: 'ffmpeg program, when it is not on the PATH',
    schema: z.string().min(1)
  })
} as const

export type SettingName = keyof typeof settings

/** What holds where nobody set anything. The data folder's default depends on the system: `defaultDataDir`. */
export const defaults = {
  field: { host: '0.0.0.0', port: 8700 },
  admin: { host: '127.0.0.1', port: 8701 },
  s3: { host: '0.0.0.0', port: 9000 },
  mqtt: { host: '0.0.0.0', port: 1883 },
  logLevel: 'info',
  pilotWorkspaceMode: 'open',
  pilotPrefixPerDevice: 'auto',
  objectStore: 'embedded',
  uploadMaxGb: 100,
  uploadMaxMegapixels: 500,
  renditionsProxy: 'auto',
  graceHours: 24,
  warnHours: 6,
  binDays: 30,
  orphanPolicy: 'bin',
  archiveDays: 365,
  deletionDelayHours: 24,
  deletionNamespace: 'drop',
  moderationKinds: ['image', 'video'],
  moderationOnReject: 'none',
  remotePorts: [80, 443],
  remoteMaxGb: 0.1,
  remoteTotalGb: 10,
  remoteMaxAgeHours: 24,
  remoteKeepDays: 30,
  remoteTimeoutSeconds: 120,
  remoteMaxRedirects: 5,
  presignUrlTtlSeconds: 3600,
  emptyReferer: 'allow',
  redisStream: 'flightcase:events',
  redisStreamMax: 1_000_000,
  kafkaTopic: 'flightcase.events',
  kafkaSasl: 'PLAIN',
  requestsPerMinute: 30_000,
  mediaPerMinute: 120_000,
  failedSignInsPerMinute: 30,
  jwtAlgorithms: ['RS256', 'ES256', 'EdDSA'],
  jwtRoleClaim: 'role',
  s3Bucket: 'media',
  s3Region: 'us-east-1'
} as const satisfies SettingValues

/** The default as somebody would write it, `HOST:PORT` for an address; null when there is none. */
export function defaultText(name: SettingName): string | null {
  const value: string | number | ListenAddress | readonly (string | number)[] | undefined = (
    defaults as Partial<Record<SettingName, string | number | ListenAddress | readonly (string | number)[]>>
  )[name]
  if (value === undefined) return null
  if (typeof value !== 'object') return String(value)
  return 'host' in value ? `${value.host}:${value.port}` : value.join(', ')
}

/** The checked values of all sources together; what nobody set is absent. */
export type SettingValues = { [Name in SettingName]?: z.output<(typeof settings)[Name]['schema']> }

export interface ListenAddress {
  host: string
  port: number
}

export type StoreConfig =
  | { mode: 'embedded'; listen: ListenAddress; bucket: string; region: string; publicEndpoint: string | null }
  | {
      mode: 'external'
      endpoint: string
      publicEndpoint: string | null
      bucket: string
      region: string
      accessKey: string
      secretKey: string
    }

export interface PilotConfig {
  staticToken: string | null
  workspaceMode: 'open' | 'strict'
  prefixPerDevice: 'auto' | 'on' | 'off'
  trustForwardedHeaders: boolean
  legacyKeyRoots: boolean
  callbackDataObject: boolean
  stsCompatibilityFields: boolean
  recorder: boolean
  credentialDurationS: number
}

/** What applications may upload. Controllers are never refused: their files are somebody's only copies. */
export interface UploadConfig {
  maxSizeBytes: number
  /** The most specific one counts; a type without any is refused. */
  types: readonly UploadTypeRule[]
  maxImagePixels: number
  /** Of a workspace that has none of its own; null for no limit. */
  quotaBytes: number | null
}

export interface UploadTypeRule {
  /** Lower case: a MIME type, or one with a star for its second half or both. */
  pattern: string
  /** Null: the general limit. */
  maxSizeBytes: number | null
}

export interface ModerationConfig {
  /** The service that judges new assets of these kinds; null: nobody is asked. */
  hook: { url: string; secret: string; kinds: readonly (typeof assetKinds)[number][] } | null
  /** What becomes of the bytes of rejected assets. */
  onReject: 'none' | 'quarantine'
}

/** Files of others that are kept for a while. */
export interface RemoteConfig {
  isEnabled: boolean
  /** `*.example.org`: all below it. Empty: every host. */
  domains: readonly string[]
  ports: readonly number[]
  maxRedirects: number
  /** Also addresses that only this machine or its networks reach. */
  allowPrivate: boolean
  /** From the first redirect to the last byte. */
  timeoutMs: number
  /** Of one file, never more than `totalBytes`. */
  maxSizeBytes: number
  /** As for uploads. */
  maxImagePixels: number
  /** As for uploads. */
  types: readonly UploadTypeRule[]
  totalBytes: number
  /** How long a file is not asked for again. */
  maxAgeMs: number
  /** How long one stays that is not used. */
  keepMs: number
}

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

export interface RenditionsConfig {
  /** When films that browsers cannot play are made again: as soon as they arrive, when somebody wants to see them, or never. */
  proxy: 'auto' | 'on_demand' | 'off'
}

/** The message brokers that are told what happens; null for none. */
export interface SinksConfig {
  redis: { url: string; stream: string; streamMax: number } | null
  kafka: KafkaConfig | null
}

export interface KafkaConfig {
  /** `HOST:PORT` each. */
  brokers: string[]
  topic: string
  isTls: boolean
  /** Null where Kafka lets everybody in. */
  login: { mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username: string; password: string } | null
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

/** Zero for no limit. Programs of this machine have none. */
export interface LimitsConfig {
  requestsPerMinute: number
  mediaPerMinute: number
  failedSignInsPerMinute: number
}

export interface JwtConfig {
  issuer: string
  audience: string
  /** An address, or the path of a file. */
  jwks: string
  algorithms: readonly string[]
  roleClaim: string
  roleNames: ReadonlyMap<string, Role>
  /** Null: tokens open all workspaces. */
  workspaceClaim: string | null
}

/** Everything the daemon is told from outside, complete and checked. */
export interface Config {
  dataDir: string
  field: ListenAddress
  admin: ListenAddress
  /** `isRequired`: the address was asked for, so a start without it fails. */
  mqtt: { address: ListenAddress; isRequired: boolean }
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent'
  /** Null: a new one is made at every start. */
  adminToken: string | null
  /** Null: no identity provider is trusted. */
  jwt: JwtConfig | null
  limits: LimitsConfig
  pilot: PilotConfig
  store: StoreConfig
  uploads: UploadConfig
  retention: RetentionConfig
  deletions: DeletionsConfig
  tiering: TieringRule[]
  webhooks: { publicOnly: boolean }
  remote: RemoteConfig
  delivery: DeliveryConfig
  moderation: ModerationConfig
  /** Null: nothing is sent. */
  otlpEndpoint: string | null
  sinks: SinksConfig
  renditions: RenditionsConfig
  /** Null: looked for. */
  ffmpegPath: string | null
  /** `FLIGHTCASE_…` environment names that mean nothing here; reported at start. */
  unknownVariables: string[]
}

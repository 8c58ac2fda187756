import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse as parseToml, TomlError } from 'smol-toml'
import { roles } from '../../shared/api/system.ts'
import { messageOf, StartupError } from '../errors.ts'
import {
  type Config,
  type DeliveryConfig,
  defaults,
  type JwtConfig,
  type ListenAddress,
  type RemoteConfig,
  type SettingName,
  type SettingValues,
  type SinksConfig,
  type StoreConfig,
  settings
} from './schema.ts'

/** Raw values by setting name, as the command line gave them. */
export type Flags = { [Name in SettingName]?: string | boolean | undefined }

export interface ConfigSources {
  flags: Flags
  env: Record<string, string | undefined>
  /** Path given with `--config`; by default `flightcase.toml` in the data folder, if it is there. */
  configPath?: string | undefined
}

/**
 * Flags before environment before file before defaults. Throws `StartupError('invalid_configuration')` that lists
 * every mistake with the name of the setting as its source spells it; secrets are never repeated in it.
 */
export function loadConfig(sources: ConfigSources): Config {
  const problems: string[] = []
  // The folder is needed to find the file, so the file cannot name it.
  const dataDir = resolve(
    String(sources.flags.dataDir || sources.env[settings.dataDir.env] || defaultDataDir(sources.env))
  )
  const file = readFile(sources.configPath ?? join(dataDir, 'flightcase.toml'), sources.configPath !== undefined)
  if (file.problem !== null) problems.push(file.problem)

  const values: SettingValues = {}
  const given = new Set<SettingName>()
  for (const name of Object.keys(settings) as SettingName[]) {
    const found = lookUp(name, sources, file)
    if (!found) continue
    given.add(name)
    const result = settings[name].schema.safeParse(found.raw)
    if (result.success) Object.assign(values, { [name]: result.data })
    else problems.push(`${found.where}: ${result.error.issues.map((issue) => issue.message).join(', ')}`)
  }
  for (const key of file.values.keys())
    if (!known.some((definition) => definition.toml === key))
      problems.push(`${key} in ${file.path}: there is no such setting`)
  // What an unreadable file holds may be just what is missing.
  if (file.problem === null)
    problems.push(
      ...missingForStore(values, given),
      ...missingForKafka(given),
      ...missingForModeration(given),
      ...missingForJwt(given)
    )
  if (problems.length > 0)
    throw new StartupError('invalid_configuration', `The configuration has mistakes:\n  ${problems.join('\n  ')}`)

  return {
    dataDir,
    field: listen(values.field, defaults.field),
    admin: listen(values.admin, defaults.admin),
    mqtt: { address: listen(values.mqtt, defaults.mqtt), isRequired: values.mqtt !== undefined },
    logLevel: values.logLevel ?? defaults.logLevel,
    adminToken: values.adminToken ?? null,
    jwt: jwtConfig(values),
    limits: {
      requestsPerMinute: values.requestsPerMinute ?? defaults.requestsPerMinute,
      mediaPerMinute: values.mediaPerMinute ?? defaults.mediaPerMinute,
      failedSignInsPerMinute: values.failedSignInsPerMinute ?? defaults.failedSignInsPerMinute
    },
    pilot: {
      staticToken: values.pilotToken ?? null,
      workspaceMode: values.pilotWorkspaceMode ?? defaults.pilotWorkspaceMode,
      prefixPerDevice: values.pilotPrefixPerDevice ?? defaults.pilotPrefixPerDevice,
      trustForwardedHeaders: values.pilotTrustForwardedHeaders ?? false,
      legacyKeyRoots: values.pilotLegacyKeyRoots ?? false,
      callbackDataObject: values.pilotCallbackDataObject ?? false,
      stsCompatibilityFields: values.pilotStsCompatibilityFields ?? false,
      recorder: values.pilotRecorder ?? false,
      credentialDurationS: 3600
    },
    store: storeConfig(values),
    uploads: {
      maxSizeBytes: Math.round((values.uploadMaxGb ?? defaults.uploadMaxGb) * 1e9),
      types: values.uploadTypes ?? [{ pattern: '*/*', maxSizeBytes: null }],
      maxImagePixels: maxImagePixels(values),
      quotaBytes: values.uploadQuotaGb === undefined ? null : Math.round(values.uploadQuotaGb * 1e9)
    },
    renditions: { proxy: values.renditionsProxy ?? defaults.renditionsProxy },
    retention: {
      graceMs: (values.graceHours ?? defaults.graceHours) * 3_600_000,
      warnMs: Math.min(values.warnHours ?? defaults.warnHours, values.graceHours ?? defaults.graceHours) * 3_600_000,
      binMs: (values.binDays ?? defaults.binDays) * 86_400_000,
      orphanPolicy: values.orphanPolicy ?? defaults.orphanPolicy,
      archiveMs: (values.archiveDays ?? defaults.archiveDays) * 86_400_000
    },
    tiering: values.tieringAfterDays ?? [],
    deletions: {
      delayMs: (values.deletionDelayHours ?? defaults.deletionDelayHours) * 3_600_000,
      namespace: values.deletionNamespace ?? defaults.deletionNamespace
    },
    webhooks: { publicOnly: values.webhooksPublicOnly ?? false },
    remote: remoteConfig(values),
    delivery: deliveryConfig(values),
    moderation: {
      hook:
        values.moderationUrl === undefined || values.moderationSecret === undefined
          ? null
          : {
              url: values.moderationUrl,
              secret: values.moderationSecret,
              kinds: values.moderationKinds ?? defaults.moderationKinds
            },
      onReject: values.moderationOnReject ?? defaults.moderationOnReject
    },
    otlpEndpoint: values.otlpEndpoint ?? null,
    sinks: { redis: redisConfig(values), kafka: kafkaConfig(values) },
    ffmpegPath: values.ffmpeg ?? null,
    unknownVariables: unknownVariables(sources.env)
  }
}

function lookUp(
  name: SettingName,
  sources: ConfigSources,
  file: TomlFile
): { raw: unknown; where: string } | undefined {
  const definition = settings[name]
  const flag = sources.flags[name]
  if (flag !== undefined) return { raw: flag, where: 'flag' in definition ? definition.flag : name }
  const env = sources.env[definition.env]
  if (env !== undefined && env !== '') return { raw: env, where: definition.env }
  const inFile = name === 'dataDir' ? undefined : file.values.get(definition.toml)
  if (inFile !== undefined) {
    const raw = typeof inFile === 'number' ? String(inFile) : inFile
    return { raw, where: `${definition.toml} in ${file.path}` }
  }
  return undefined
}

/** An external store cannot do without these; one that is given but wrong is a mistake of its own already. */
const NEEDED_FOR_EXTERNAL = ['s3Endpoint', 's3AccessKey', 's3SecretKey'] as const

function missingForStore(values: SettingValues, given: ReadonlySet<SettingName>): string[] {
  if (values.objectStore !== 'external') return []
  return NEEDED_FOR_EXTERNAL.filter((name) => !given.has(name)).map(
    (name) => `${settings[name].env} (${settings[name].toml}): needed with an external store`
  )
}

function missingForKafka(given: ReadonlySet<SettingName>): string[] {
  if (given.has('kafkaUsername') === given.has('kafkaPassword')) return []
  const missing = settings[given.has('kafkaUsername') ? 'kafkaPassword' : 'kafkaUsername']
  return [`${missing.env} (${missing.toml}): a user and a password for Kafka belong together`]
}

function missingForModeration(given: ReadonlySet<SettingName>): string[] {
  const { env, toml } = settings.moderationSecret
  if (!given.has('moderationUrl') || given.has('moderationSecret')) return []
  return [`${env} (${toml}): needed with a moderation service`]
}

/** One alone would trust anybody's tokens, or nobody's. */
const NEEDED_FOR_JWT = ['jwtIssuer', 'jwtAudience', 'jwtJwks'] as const

function missingForJwt(given: ReadonlySet<SettingName>): string[] {
  if (!NEEDED_FOR_JWT.some((name) => given.has(name))) return []
  return NEEDED_FOR_JWT.filter((name) => !given.has(name)).map(
    (name) => `${settings[name].env} (${settings[name].toml}): needed with an identity provider`
  )
}

function jwtConfig(values: SettingValues): JwtConfig | null {
  const { jwtIssuer: issuer, jwtAudience: audience, jwtJwks: jwks } = values
  if (issuer === undefined || audience === undefined || jwks === undefined) return null
  return {
    issuer,
    audience,
    jwks,
    algorithms: values.jwtAlgorithms ?? defaults.jwtAlgorithms,
    roleClaim: values.jwtRoleClaim ?? defaults.jwtRoleClaim,
    roleNames: values.jwtRoles ?? new Map(roles.map((role) => [role, role])),
    workspaceClaim: values.jwtWorkspaceClaim ?? null
  }
}

function storeConfig(values: SettingValues): StoreConfig {
  const common = {
    bucket: values.s3Bucket ?? defaults.s3Bucket,
    region: values.s3Region ?? defaults.s3Region,
    publicEndpoint: values.s3PublicEndpoint ?? null
  }
  const { s3Endpoint, s3AccessKey, s3SecretKey } = values
  if ((values.objectStore ?? defaults.objectStore) === 'embedded')
    return { mode: 'embedded', listen: listen(values.s3, defaults.s3), ...common }
  if (s3Endpoint === undefined || s3AccessKey === undefined || s3SecretKey === undefined)
    throw new Error('missingForStore has let an incomplete external store pass')
  return { mode: 'external', endpoint: s3Endpoint, accessKey: s3AccessKey, secretKey: s3SecretKey, ...common }
}

const maxImagePixels = ({ uploadMaxMegapixels = defaults.uploadMaxMegapixels }: SettingValues): number =>
  Math.round(uploadMaxMegapixels * 1e6)

function remoteConfig(values: SettingValues): RemoteConfig {
  const totalBytes = Math.round((values.remoteTotalGb ?? defaults.remoteTotalGb) * 1e9)
  return {
    isEnabled: values.remoteEnabled ?? false,
    domains: values.remoteDomains ?? [],
    ports: values.remotePorts ?? defaults.remotePorts,
    maxRedirects: values.remoteMaxRedirects ?? defaults.remoteMaxRedirects,
    allowPrivate: values.remoteAllowPrivate ?? false,
    timeoutMs: Math.round((values.remoteTimeoutSeconds ?? defaults.remoteTimeoutSeconds) * 1000),
    maxImagePixels: maxImagePixels(values),
    maxSizeBytes: Math.min(Math.round((values.remoteMaxGb ?? defaults.remoteMaxGb) * 1e9), totalBytes),
    types: values.remoteTypes ?? ['image/*', 'video/*', 'audio/*'].map((pattern) => ({ pattern, maxSizeBytes: null })),
    totalBytes,
    maxAgeMs: (values.remoteMaxAgeHours ?? defaults.remoteMaxAgeHours) * 3_600_000,
    keepMs: (values.remoteKeepDays ?? defaults.remoteKeepDays) * 86_400_000
  }
}

function deliveryConfig(values: SettingValues): DeliveryConfig {
  const { publicUrl = null, cdnBaseUrl = null, publicHosts = [] } = values
  const shown = [publicUrl, cdnBaseUrl].flatMap((url) => (url === null ? [] : [new URL(url).hostname]))
  return {
    usePresign: values.usePresign ?? false,
    linkTtlSeconds: values.presignUrlTtlSeconds ?? defaults.presignUrlTtlSeconds,
    publicUrl,
    cdnBaseUrl,
    publicHosts: [...publicHosts, ...shown],
    refererRule: {
      hosts: values.referers ?? [],
      allowEmpty: (values.emptyReferer ?? defaults.emptyReferer) === 'allow'
    },
    corsOrigins: values.corsOrigins ?? []
  }
}

function redisConfig({ redisUrl, redisStream, redisStreamMax }: SettingValues): SinksConfig['redis'] {
  if (redisUrl === undefined) return null
  return {
    url: redisUrl,
    stream: redisStream ?? defaults.redisStream,
    streamMax: redisStreamMax ?? defaults.redisStreamMax
  }
}

function kafkaConfig(values: SettingValues): SinksConfig['kafka'] {
  const { kafkaBrokers: brokers, kafkaUsername: username, kafkaPassword: password } = values
  if (brokers === undefined) return null
  const mechanism = values.kafkaSasl ?? defaults.kafkaSasl
  return {
    brokers,
    topic: values.kafkaTopic ?? defaults.kafkaTopic,
    isTls: values.kafkaTls ?? false,
    login: username === undefined || password === undefined ? null : { mechanism, username, password }
  }
}

interface TomlFile {
  path: string
  values: Map<string, unknown>
  /** Why nothing could be read from it; null when it was read or need not be there. */
  problem: string | null
}

function readFile(path: string, mustExist: boolean): TomlFile {
  const values = new Map<string, unknown>()
  if (!existsSync(path))
    return { path, values, problem: mustExist ? `there is no configuration file at ${path}` : null }
  try {
    flatten(parseToml(readFileSync(path, 'utf8')), '', values)
    return { path, values, problem: null }
  } catch (error) {
    // The parser's message quotes the line, which may hold a secret.
    const reason = error instanceof TomlError ? `the mistake is in line ${error.line}` : messageOf(error)
    return { path, values, problem: `${path} cannot be read as TOML: ${reason}` }
  }
}

function flatten(table: object, prefix: string, into: Map<string, unknown>): void {
  for (const [key, value] of Object.entries(table)) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) flatten(value, `${prefix}${key}.`, into)
    else into.set(prefix + key, value)
  }
}

const known = Object.values(settings)

/** `FLIGHTCASE_…` names in the environment that no setting has: most likely misspelt. */
function unknownVariables(env: ConfigSources['env']): string[] {
  return Object.keys(env).filter(
    (name) => /^FLIGHTCASE_(?!TEST_|DEV_)/.test(name) && !known.some((definition) => definition.env === name)
  )
}

function listen(value: { host: string | null; port: number } | undefined, fallback: ListenAddress): ListenAddress {
  return value ? { host: value.host ?? fallback.host, port: value.port } : fallback
}

/** Where everything is kept when nobody names a folder. */
export function defaultDataDir(env: ConfigSources['env']): string {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Flightcase')
  if (process.platform === 'win32') return join(env['APPDATA'] ?? homedir(), 'Flightcase')
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'flightcase')
}

import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse as parseToml } from 'smol-toml'
import { messageOf, StartupError } from '../errors.ts'
import {
  type Config,
  type ListenAddress,
  type SettingName,
  type SettingValues,
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

  const values: SettingValues = {}
  for (const name of Object.keys(settings) as SettingName[]) {
    const found = lookUp(name, sources, file)
    if (!found) continue
    const result = settings[name].schema.safeParse(found.raw)
    if (result.success) Object.assign(values, { [name]: result.data })
    else problems.push(`${found.where}: ${result.error.issues.map((issue) => issue.message).join(', ')}`)
  }
  for (const key of file.values.keys())
    if (!known.some((definition) => definition.toml === key))
      problems.push(`${key} in ${file.path}: there is no such setting`)
  const store = problems.length === 0 ? storeConfig(values, problems) : undefined
  if (!store || problems.length > 0)
    throw new StartupError('invalid_configuration', `The configuration has mistakes:\n  ${problems.join('\n  ')}`)

  return {
    dataDir,
    field: listen(values.field, { host: '0.0.0.0', port: 8700 }),
    admin: listen(values.admin, { host: '127.0.0.1', port: 8701 }),
    mqtt: { address: listen(values.mqtt, { host: '0.0.0.0', port: 1883 }), isRequired: values.mqtt !== undefined },
    logLevel: values.logLevel ?? 'info',
    adminToken: values.adminToken ?? null,
    pilot: {
      staticToken: values.pilotToken ?? null,
      workspaceMode: values.pilotWorkspaceMode ?? 'open',
      prefixPerDevice: values.pilotPrefixPerDevice ?? 'auto',
      trustForwardedHeaders: values.pilotTrustForwardedHeaders ?? false,
      legacyKeyRoots: values.pilotLegacyKeyRoots ?? false,
      callbackDataObject: values.pilotCallbackDataObject ?? false,
      stsCompatibilityFields: values.pilotStsCompatibilityFields ?? false,
      recorder: values.pilotRecorder ?? false,
      credentialDurationS: 3600
    },
    store,
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

function storeConfig(values: SettingValues, problems: string[]): StoreConfig | undefined {
  const bucket = values.s3Bucket ?? 'media'
  const region = values.s3Region ?? 'us-east-1'
  const publicEndpoint = values.s3PublicEndpoint ?? null
  if ((values.objectStore ?? 'embedded') === 'embedded') {
    return {
      mode: 'embedded',
      listen: listen(values.s3, { host: '0.0.0.0', port: 9000 }),
      bucket,
      region,
      publicEndpoint
    }
  }
  const { s3Endpoint, s3AccessKey, s3SecretKey } = values
  if (s3Endpoint === undefined || s3AccessKey === undefined || s3SecretKey === undefined) {
    for (const name of ['s3Endpoint', 's3AccessKey', 's3SecretKey'] as const)
      if (values[name] === undefined)
        problems.push(`${settings[name].env} (${settings[name].toml}): needed with an external store`)
    return undefined
  }
  return {
    mode: 'external',
    endpoint: s3Endpoint,
    publicEndpoint,
    bucket,
    region,
    accessKey: s3AccessKey,
    secretKey: s3SecretKey
  }
}

interface TomlFile {
  path: string
  values: Map<string, unknown>
}

function readFile(path: string, mustExist: boolean): TomlFile {
  const values = new Map<string, unknown>()
  if (!existsSync(path)) {
    if (mustExist) throw new StartupError('invalid_configuration', `There is no configuration file at ${path}.`)
    return { path, values }
  }
  try {
    flatten(parseToml(readFileSync(path, 'utf8')), '', values)
  } catch (error) {
    throw new StartupError('invalid_configuration', `${path} cannot be read as TOML: ${messageOf(error)}`, {
      cause: error
    })
  }
  return { path, values }
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

function defaultDataDir(env: ConfigSources['env']): string {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Flightcase')
  if (process.platform === 'win32') return join(env['APPDATA'] ?? homedir(), 'Flightcase')
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'flightcase')
}

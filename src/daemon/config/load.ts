import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse as parseToml, TomlError } from 'smol-toml'
import { messageOf, StartupError } from '../errors.ts'
import { type Config, type SettingName, type SettingValues, settings } from './schema.ts'
import { jwtConfig, limitsConfig, missingForJwt } from './settings/access.ts'
import { deliveryConfig } from './settings/delivery.ts'
import { listen, listenersDefaults } from './settings/listeners.ts'
import { liveConfig, missingForLive } from './settings/live.ts'
import { missingForModeration, moderationConfig } from './settings/moderation.ts'
import { missingForKafka, sinksConfig } from './settings/outgoing.ts'
import { pilotConfig } from './settings/pilot.ts'
import { remoteConfig } from './settings/remote.ts'
import { renditionsConfig } from './settings/renditions.ts'
import { deletionsConfig, retentionConfig } from './settings/retention.ts'
import { missingForStore, storeConfig } from './settings/store.ts'
import { uploadConfig } from './settings/uploads.ts'

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
      ...missingForLive(given),
      ...missingForJwt(given)
    )
  if (problems.length > 0)
    throw new StartupError('invalid_configuration', `The configuration has mistakes:\n  ${problems.join('\n  ')}`)

  const uploads = uploadConfig(values)
  return {
    dataDir,
    field: listen(values.field, listenersDefaults.field),
    admin: listen(values.admin, listenersDefaults.admin),
    mqtt: { address: listen(values.mqtt, listenersDefaults.mqtt), isRequired: values.mqtt !== undefined },
    logLevel: values.logLevel ?? listenersDefaults.logLevel,
    adminToken: values.adminToken ?? null,
    jwt: jwtConfig(values),
    limits: limitsConfig(values),
    pilot: pilotConfig(values),
    store: storeConfig(values),
    uploads,
    renditions: renditionsConfig(values),
    live: liveConfig(values, dataDir),
    retention: retentionConfig(values),
    tiering: values.tieringAfterDays ?? [],
    deletions: deletionsConfig(values),
    webhooks: { publicOnly: values.webhooksPublicOnly ?? false },
    remote: remoteConfig(values, uploads.maxImagePixels),
    delivery: deliveryConfig(values),
    moderation: moderationConfig(values),
    otlpEndpoint: values.otlpEndpoint ?? null,
    sinks: sinksConfig(values),
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

/** Where everything is kept when nobody names a folder. */
export function defaultDataDir(env: ConfigSources['env']): string {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Flightcase')
  if (process.platform === 'win32') return join(env['APPDATA'] ?? homedir(), 'Flightcase')
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'flightcase')
}

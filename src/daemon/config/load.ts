import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { StartupError } from '../errors.ts'
import { CHOSEN_FILE, type Chosen } from './chosen-settings.ts'
import { type Config, type SettingName, type SettingOrigin, type SettingValues, settings } from './schema.ts'
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
import { readToml, type TomlFile } from './toml-file.ts'

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
  return load(sources, null)
}

/** With `chosen` in place of what the screen wrote down. */
function load(sources: ConfigSources, chosen: Chosen | null): Config {
  const problems: string[] = []
  // The folder is needed to find the file, so the file cannot name it.
  const dataDir = resolve(
    String(sources.flags.dataDir || sources.env[settings.dataDir.env] || defaultDataDir(sources.env))
  )
  const file = readToml(sources.configPath ?? join(dataDir, 'flightcase.toml'), sources.configPath !== undefined)
  const chosenPath = join(dataDir, CHOSEN_FILE)
  const screen = chosen ? { path: chosenPath, values: chosen, problem: null } : readToml(chosenPath, false)
  problems.push(...[file, screen].flatMap(({ problem }) => problem ?? []))

  const values: SettingValues = {}
  const origins = new Map<SettingName, SettingOrigin>()
  for (const name of Object.keys(settings) as SettingName[]) {
    const found = lookUp(name, sources, file, screen)
    if (!found) continue
    origins.set(name, { source: found.source, where: found.where, text: textOf(name, found.raw) })
    const result = settings[name].schema.safeParse(found.raw)
    if (result.success) Object.assign(values, { [name]: result.data })
    else problems.push(`${found.where}: ${result.error.issues.map((issue) => issue.message).join(', ')}`)
  }
  for (const { path, values: found } of [file, screen])
    for (const key of found.keys())
      if (!known.some((definition) => definition.toml === key))
        problems.push(`${key} in ${path}: there is no such setting`)
  // What an unreadable file holds may be just what is missing.
  if (file.problem === null && screen.problem === null) {
    const given = new Set(origins.keys())
    problems.push(
      ...missingForStore(values, given),
      ...missingForKafka(given),
      ...missingForModeration(given),
      ...missingForLive(given),
      ...missingForJwt(given)
    )
  }
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
    unknownVariables: unknownVariables(sources.env),
    origins,
    choosing: (next) => load(sources, next)
  }
}

function lookUp(
  name: SettingName,
  sources: ConfigSources,
  file: TomlFile,
  screen: TomlFile
): (Omit<SettingOrigin, 'text'> & { raw: unknown }) | undefined {
  const definition = settings[name]
  const flag = sources.flags[name]
  if (flag !== undefined) return { raw: flag, source: 'option', where: 'flag' in definition ? definition.flag : name }
  const env = sources.env[definition.env]
  if (env !== undefined && env !== '') return { raw: env, source: 'environment', where: definition.env }
  if (name === 'dataDir') return undefined
  const found = file.values.has(definition.toml) ? file : screen
  const inFile = found.values.get(definition.toml)
  if (inFile === undefined) return undefined
  const raw = typeof inFile === 'number' ? String(inFile) : inFile
  return { raw, source: found === file ? 'file' : 'screen', where: `${definition.toml} in ${found.path}` }
}

/** What was written, for people; null for secrets. */
function textOf(name: SettingName, raw: unknown): string | null {
  return 'secret' in settings[name] ? null : String(raw)
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

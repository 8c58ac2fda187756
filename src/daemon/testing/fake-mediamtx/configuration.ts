import { messageOf } from '../../errors.ts'
import { asObject, decodeObject } from './decode.ts'
import { globalFields, initialValues, type Json, type JsonObject, pathFields } from './fields.ts'
import { parseDuration } from './go-values.ts'
import { checkPathName, isPattern, objectsOf, type PathConf, textOf, validatePath } from './path-conf.ts'
import { Refusal } from './refusal.ts'

/** A whole configuration: the global settings, the defaults of paths, and per path what is set for it. */
export interface Configuration {
  global: JsonObject
  pathDefaults: JsonObject
  paths: Map<string, JsonObject>
}

/** Reads what a configuration file says; throws an `Error` with the text the server ends with. */
export function readConfiguration(file: Json): Configuration {
  const { paths = null, pathDefaults = null, ...global } = asObject(file)
  const entries = Object.entries(paths === null ? {} : asObject(paths))
  const configuration = {
    global: { ...initialValues(globalFields), ...decodeObject(global, globalFields, '') },
    pathDefaults: { ...initialValues(pathFields), ...decodeObject(pathDefaults, pathFields, '') },
    paths: new Map(entries.map(([name, path]) => [name, decodeObject(path, pathFields, '')]))
  }
  validate(configuration)
  return configuration
}

/** The settings in force of a path the configuration names; undefined for any other. */
export function pathConf(configuration: Configuration, name: string): PathConf | undefined {
  const own = configuration.paths.get(name)
  return own && { ...configuration.pathDefaults, ...own, name }
}

/** The settings that hold for a path: its own entry, else a pattern that matches. Throws the server's `Error`. */
export function findPathConf(configuration: Configuration, name: string): PathConf {
  const own = pathConf(configuration, name)
  if (own) return own
  checkName(name)
  const patterns = sortedNames(configuration.paths).filter(isPattern)
  const named = patterns.find((pattern) => pattern.startsWith('~') && new RegExp(pattern.slice(1)).test(name))
  const found = pathConf(configuration, named ?? patterns.find((pattern) => !pattern.startsWith('~')) ?? '')
  if (!found) throw new Error(`path '${name}' is not configured`)
  return found
}

/** Throws the `Error` the server has for a name no path can have. */
export function checkName(name: string): void {
  try {
    checkPathName(name)
  } catch (error) {
    throw new Error(`invalid path name: ${messageOf(error)} (${name})`)
  }
}

/** Names in the order Go sorts text (by bytes). */
export const sortedNames = (paths: Map<string, unknown>): string[] => [...paths.keys()].sort()

function validate(configuration: Configuration): void {
  const { global } = configuration
  for (const key of ['readTimeout', 'writeTimeout']) {
    if (parseDuration(textOf(global, key)) <= 0) throw new Error(`'${key}' must be greater than zero`)
  }
  const queueSize = Number(global.writeQueueSize)
  if (queueSize <= 0) throw new Error("'writeQueueSize' must be greater than zero")
  if ((queueSize & (queueSize - 1)) !== 0) throw new Error("'writeQueueSize' must be a power of two")
  if (global.authMethod === 'http' && global.authHTTPAddress === '') throw new Error("'authHTTPAddress' is empty")
  if (objectsOf(global, 'authInternalUsers').some((user) => user.user === '')) {
    throw new Error('empty usernames are not supported')
  }
  for (const name of sortedNames(configuration.paths)) {
    validatePath(pathConf(configuration, name)!, global.playback === true)
  }
}

/**
 * The configuration of a running server: writes are checked one after another, each on the result of the one before, and
 * take effect in that order, after a delay where one is set.
 */
export class ConfigurationStore {
  #latest: Configuration
  #applied: Configuration
  #onApplied: () => void
  #applyDelayMs = 0
  /** Writes that were answered and have not taken effect yet. */
  #waiting: Configuration[] = []

  constructor(configuration: Configuration, onApplied: () => void) {
    this.#latest = configuration
    this.#applied = configuration
    this.#onApplied = onApplied
  }

  /** What is in force now. */
  get applied(): Configuration {
    return this.#applied
  }

  /** How long a write waits from now on; without end for `Infinity`. Those that wait now take effect. */
  setApplyDelay(ms: number): void {
    while (this.#waiting.length > 0) this.#applyNext()
    this.#applyDelayMs = ms
  }

  /** Forgets all writes, also those on their way. */
  load(configuration: Configuration): void {
    this.#waiting = []
    this.#latest = configuration
    this.#apply(configuration)
  }

  patchGlobal(values: JsonObject): void {
    this.#write((draft) => Object.assign(draft.global, values))
  }

  patchPathDefaults(values: JsonObject): void {
    this.#write((draft) => Object.assign(draft.pathDefaults, values))
  }

  addPath(name: string, values: JsonObject): void {
    if (this.#latest.paths.has(name)) throw new Error('path already exists')
    this.replacePath(name, values)
  }

  patchPath(name: string, values: JsonObject): void {
    const own = this.#ownOf(name)
    this.#write((draft) => draft.paths.set(name, { ...own, ...values }))
  }

  replacePath(name: string, values: JsonObject): void {
    this.#write((draft) => draft.paths.set(name, values))
  }

  removePath(name: string): void {
    this.#ownOf(name)
    this.#write((draft) => draft.paths.delete(name))
  }

  #ownOf(name: string): JsonObject {
    const own = this.#latest.paths.get(name)
    if (!own) throw new Refusal(404, 'path not found')
    return own
  }

  #write(edit: (draft: Configuration) => void): void {
    const draft: Configuration = {
      global: { ...this.#latest.global },
      pathDefaults: { ...this.#latest.pathDefaults },
      paths: new Map(this.#latest.paths)
    }
    edit(draft)
    validate(draft)
    this.#latest = draft
    this.#waiting.push(draft)
    if (this.#applyDelayMs === 0) this.#applyNext()
    else if (Number.isFinite(this.#applyDelayMs)) {
      setTimeout(() => this.#applyNext(draft), this.#applyDelayMs).unref()
    }
  }

  /** Lets the oldest write take effect, unless that one is not the oldest any more. */
  #applyNext(expected = this.#waiting[0]): void {
    if (expected === undefined || expected !== this.#waiting[0]) return
    this.#waiting.shift()
    this.#apply(expected)
  }

  #apply(configuration: Configuration): void {
    this.#applied = configuration
    this.#onApplied()
  }
}

/** What a client may see of the global settings: passwords are replaced. */
export function redacted(global: JsonObject): JsonObject {
  const authInternalUsers = objectsOf(global, 'authInternalUsers').map((user) => ({
    ...user,
    pass: textOf(user, 'pass') === '' ? '' : '<redacted>'
  }))
  return { ...global, authInternalUsers }
}

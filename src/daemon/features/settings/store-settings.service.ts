import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  type ConnectionStep,
  type StoreChoice,
  type StoreSettings,
  storeChoices,
  storeKeys
} from '../../../shared/api/settings.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import { type Chosen, readChosen, writeChosen } from '../../config/chosen-settings.ts'
import { type Config, defaultText } from '../../config/schema.ts'
import { type StoreConfig, storeSettings } from '../../config/settings/store.ts'
import { AppError, StartupError } from '../../errors.ts'
import { checkConnection } from '../../object-store/check-connection.ts'
import { externalOptions } from '../../object-store/external-options.ts'
import { storeProfileNames, storeProfiles } from '../../object-store/store-profiles.ts'

/** How the configuration calls what the screen can set. */
const SETTING_OF = {
  mode: 'objectStore',
  profile: 's3Profile',
  endpoint: 's3Endpoint',
  publicEndpoint: 's3PublicEndpoint',
  region: 's3Region',
  bucket: 's3Bucket',
  accessKey: 's3AccessKey',
  secretKey: 's3SecretKey'
} as const satisfies Record<StoreChoice, keyof typeof storeSettings>
const CHOICES: readonly StoreChoice[] = [...storeChoices, ...storeKeys]
/** By a store of others. */
const NEEDED = ['endpoint', 'accessKey', 'secretKey'] as const

/** What is left out stays as it is; null or an empty text goes back to the default. */
export type StoreChoices = { readonly [Name in StoreChoice]?: string | null | undefined }

export interface StoreSettingsDeps {
  config: Config
  audit: AuditLog
  /** What lies in the present store. */
  kept: () => { assetTotal: number; assetBytes: number }
}

/** What the screen chooses of the store. It holds from the next start on: until then it can be taken back. */
export class StoreSettingsService {
  readonly #deps: StoreSettingsDeps
  readonly #atStart: Chosen
  /** Changes are made one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(deps: StoreSettingsDeps) {
    this.#deps = deps
    this.#atStart = readChosen(deps.config.dataDir)
  }

  read(): StoreSettings {
    const { config, kept } = this.#deps
    const next = config.choosing(this.#chosen())
    const settings = CHOICES.map((choice) => [choice, this.#setting(choice, next)] as const)
    return {
      settings: Object.fromEntries(settings) as StoreSettings['settings'],
      modes: [...storeSettings.objectStore.schema.options],
      profiles: [...storeSettings.s3Profile.schema.options],
      present: { mode: config.store.mode, place: placeOf(config), bucket: config.store.bucket },
      needsRestart: !isDeepStrictEqual(next.store, config.store),
      movesAway: placeOf(next) !== placeOf(config) || next.store.bucket !== config.store.bucket,
      ...kept()
    }
  }

  /** Throws `setting_fixed`, `invalid_request` and `settings_incomplete`, and changes nothing then. */
  change(choices: StoreChoices): Promise<StoreSettings> {
    return this.#oneByOne(async () => {
      const chosen = this.#with(choices)
      this.#complete(chosen)
      await this.#write(chosen, Object.keys(choices))
    })
  }

  /** Takes back what was chosen since the start. */
  revert(): Promise<StoreSettings> {
    return this.#oneByOne(() => this.#write(this.#atStart, []))
  }

  /** Tries out the external store that these choices lead to. Throws as {@link change}. */
  async test(choices: StoreChoices): Promise<ConnectionStep[]> {
    const store = this.#complete(this.#with(choices))
    if (store.mode === 'embedded') throw new AppError('settings_incomplete', { missing: ['mode'] })
    const steps = await checkConnection(
      externalOptions(store),
      store.rootPrefix === null ? undefined : `${store.rootPrefix}/.health/`
    )
    // Behind the gateway nobody asks the store for credentials.
    return store.mode === 'gateway' ? steps.filter(({ name }) => name !== 'sts' && name !== 'policy') : steps
  }

  #setting(choice: StoreChoice, next: Config): StoreSettings['settings'][StoreChoice] {
    const name = SETTING_OF[choice]
    const origin = next.origins.get(name)
    if (origin === undefined) return { value: defaultText(name), isSet: false, source: 'default', where: null }
    return { value: origin.text, isSet: true, source: origin.source, where: origin.where }
  }

  #isFixed(choice: StoreChoice): boolean {
    const source = this.#deps.config.origins.get(SETTING_OF[choice])?.source
    return source !== undefined && source !== 'screen'
  }

  #chosen(): Map<string, string> {
    return readChosen(this.#deps.config.dataDir)
  }

  /** What is chosen with these choices. Throws `setting_fixed`, and `invalid_request` for what no setting can be. */
  #with(choices: StoreChoices): Map<string, string> {
    const chosen = this.#chosen()
    const issues: { path: string; message: string }[] = []
    for (const choice of CHOICES) {
      const text = choices[choice]
      if (text === undefined) continue
      if (this.#isFixed(choice)) throw new AppError('setting_fixed', { setting: choice })
      const { toml, schema } = storeSettings[SETTING_OF[choice]]
      chosen.delete(toml)
      if (text === null || text === '') continue
      chosen.set(toml, text)
      const result = schema.safeParse(text)
      if (!result.success) issues.push({ path: choice, message: result.error.issues[0]!.message })
    }
    if (issues.length > 0) throw new AppError('invalid_request', { in: 'body', issues })
    return chosen
  }

  /** The store that this leads to. Throws `settings_incomplete` for an external one that lacks something. */
  #complete(chosen: Chosen): StoreConfig {
    const { config } = this.#deps
    const textOf = (choice: StoreChoice) => {
      const name = SETTING_OF[choice]
      return this.#isFixed(choice) ? (config.origins.get(name)?.text ?? 'secret') : chosen.get(storeSettings[name].toml)
    }
    const isEmbedded = (textOf('mode') ?? 'embedded') === 'embedded'
    const missing = isEmbedded ? [] : NEEDED.filter((choice) => textOf(choice) === undefined)
    if (missing.length > 0) throw new AppError('settings_incomplete', { missing })
    try {
      return config.choosing(chosen).store
    } catch (error) {
      if (!(error instanceof StartupError)) throw error
      const reason = this.#reason(textOf('mode'), textOf('profile'))
      throw new AppError('settings_incomplete', { missing, reported: error.message, ...(reason && { reason }) })
    }
  }

  /** What this kind of store cannot do in this mode, for the screen to say in its words. */
  #reason(mode: string | undefined, profile: string | undefined): 'needs_gateway' | 'needs_role' | null {
    const known = storeProfileNames.find((name) => name === profile)
    if (mode !== 'external' || known === undefined) return null
    if (!storeProfiles[known].issuesCredentials) return 'needs_gateway'
    const hasRole = this.#deps.config.origins.has('s3RoleArn')
    return storeProfiles[known].role === 'set' && !hasRole ? 'needs_role' : null
  }

  async #write(chosen: Chosen, settings: string[]): Promise<void> {
    await writeChosen(this.#deps.config.dataDir, chosen)
    this.#deps.audit.record('settings.changed', 'store', { settings })
  }

  #oneByOne(work: () => Promise<void>): Promise<StoreSettings> {
    const done = this.#last.then(work).then(() => this.read())
    this.#last = done.catch(() => undefined)
    return done
  }
}

/** Where a store is: its folder or its address. */
function placeOf({ store, dataDir }: Config): string {
  return store.mode === 'embedded' ? join(dataDir, 'store') : store.endpoint
}

import type { SettingSource } from '../../shared/api/settings.ts'
import { accessDefaults, accessSettings, type JwtConfig, type LimitsConfig } from './settings/access.ts'
import { type DeliveryConfig, deliveryDefaults, deliverySettings } from './settings/delivery.ts'
import { type ListenAddress, listenersDefaults, listenersSettings } from './settings/listeners.ts'
import { type LiveConfig, liveDefaults, liveSettings } from './settings/live.ts'
import { type ModerationConfig, moderationDefaults, moderationSettings } from './settings/moderation.ts'
import { outgoingDefaults, outgoingSettings, type SinksConfig } from './settings/outgoing.ts'
import { type PilotConfig, pilotDefaults, pilotSettings } from './settings/pilot.ts'
import { type RemoteConfig, remoteDefaults, remoteSettings } from './settings/remote.ts'
import { type RenditionsConfig, renditionsDefaults, renditionsSettings } from './settings/renditions.ts'
import {
  type DeletionsConfig,
  type RetentionConfig,
  retentionDefaults,
  retentionSettings,
  type TieringRule
} from './settings/retention.ts'
import type { ValuesOf } from './settings/setting.ts'
import { type StoreConfig, storeDefaults, storeSettings } from './settings/store.ts'
import { type UploadConfig, uploadsDefaults, uploadsSettings } from './settings/uploads.ts'

/** Every setting, in the order the documentation lists them. */
export const settings = {
  ...listenersSettings,
  ...accessSettings,
  ...pilotSettings,
  ...storeSettings,
  ...uploadsSettings,
  ...renditionsSettings,
  ...liveSettings,
  ...retentionSettings,
  ...remoteSettings,
  ...deliverySettings,
  ...moderationSettings,
  ...outgoingSettings
} as const

export type SettingName = keyof typeof settings

/** What holds where nobody set anything. The data folder's default depends on the system: `defaultDataDir`. */
const defaults = {
  ...listenersDefaults,
  ...accessDefaults,
  ...pilotDefaults,
  ...storeDefaults,
  ...uploadsDefaults,
  ...renditionsDefaults,
  ...liveDefaults,
  ...retentionDefaults,
  ...remoteDefaults,
  ...deliveryDefaults,
  ...moderationDefaults,
  ...outgoingDefaults
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
export type SettingValues = ValuesOf<typeof settings>

/** Where the value of a setting comes from. */
export interface SettingOrigin {
  source: Exclude<SettingSource, 'default'>
  /** How that source calls it. */
  where: string
  /** As it was written; null for a secret. */
  text: string | null
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
  live: LiveConfig
  /** Null: looked for. */
  ffmpegPath: string | null
  /** `FLIGHTCASE_…` environment names that mean nothing here; reported at start. */
  unknownVariables: string[]
  /** Where each setting comes from that somebody set. */
  origins: ReadonlyMap<SettingName, SettingOrigin>
  /** What the next start would take if `chosen` had been chosen on the screen. Throws as `loadConfig` does. */
  choosing(chosen: ReadonlyMap<string, string>): Config
}

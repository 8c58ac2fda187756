import { z } from 'zod'
import { amountSchema, hostSchema, listSchema, setting, switchSchema, type ValuesOf } from './setting.ts'
import { typeRulesSchema, type UploadTypeRule } from './type-rules.ts'

const portsSchema = z
  .union([z.array(z.int()), z.string().transform((text) => text.split(',').map(Number))])
  .pipe(z.array(z.int('must be ports').min(1, 'must be ports').max(65_535, 'must be ports')))
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

/** Files of others that are kept for a while. */
export const remoteSettings = {
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
  })
} as const

export const remoteDefaults = {
  remotePorts: [80, 443],
  remoteMaxGb: 0.1,
  remoteTotalGb: 10,
  remoteMaxAgeHours: 24,
  remoteKeepDays: 30,
  remoteTimeoutSeconds: 120,
  remoteMaxRedirects: 5
} as const satisfies ValuesOf<typeof remoteSettings>

/** `maxImagePixels` is that of uploads. */
export function remoteConfig(values: ValuesOf<typeof remoteSettings>, maxImagePixels: number): RemoteConfig {
  const totalBytes = Math.round((values.remoteTotalGb ?? remoteDefaults.remoteTotalGb) * 1e9)
  return {
    isEnabled: values.remoteEnabled ?? false,
    domains: values.remoteDomains ?? [],
    ports: values.remotePorts ?? remoteDefaults.remotePorts,
    maxRedirects: values.remoteMaxRedirects ?? remoteDefaults.remoteMaxRedirects,
    allowPrivate: values.remoteAllowPrivate ?? false,
    timeoutMs: Math.round((values.remoteTimeoutSeconds ?? remoteDefaults.remoteTimeoutSeconds) * 1000),
    maxImagePixels,
    maxSizeBytes: Math.min(Math.round((values.remoteMaxGb ?? remoteDefaults.remoteMaxGb) * 1e9), totalBytes),
    types: values.remoteTypes ?? ['image/*', 'video/*', 'audio/*'].map((pattern) => ({ pattern, maxSizeBytes: null })),
    totalBytes,
    maxAgeMs: (values.remoteMaxAgeHours ?? remoteDefaults.remoteMaxAgeHours) * 3_600_000,
    keepMs: (values.remoteKeepDays ?? remoteDefaults.remoteKeepDays) * 86_400_000
  }
}

import { z } from 'zod'
import { setting, switchSchema, tokenSchema, type ValuesOf } from './setting.ts'

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

/** What controllers get. */
export const pilotSettings = {
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
  })
} as const

export const pilotDefaults = {
  pilotWorkspaceMode: 'open',
  pilotPrefixPerDevice: 'auto'
} as const satisfies ValuesOf<typeof pilotSettings>

export function pilotConfig(values: ValuesOf<typeof pilotSettings>): PilotConfig {
  return {
    staticToken: values.pilotToken ?? null,
    workspaceMode: values.pilotWorkspaceMode ?? pilotDefaults.pilotWorkspaceMode,
    prefixPerDevice: values.pilotPrefixPerDevice ?? pilotDefaults.pilotPrefixPerDevice,
    trustForwardedHeaders: values.pilotTrustForwardedHeaders ?? false,
    legacyKeyRoots: values.pilotLegacyKeyRoots ?? false,
    callbackDataObject: values.pilotCallbackDataObject ?? false,
    stsCompatibilityFields: values.pilotStsCompatibilityFields ?? false,
    recorder: values.pilotRecorder ?? false,
    credentialDurationS: 3600
  }
}

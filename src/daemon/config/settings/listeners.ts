import { z } from 'zod'
import { setting, type ValuesOf } from './setting.ts'

/** `HOST:PORT`, `[V6]:PORT` or a bare port; port 0 takes any free one. */
export const listenSchema = z.string().transform((text, context) => {
  const match = /^(?:(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535) {
    context.addIssue({ code: 'custom', message: 'must be HOST:PORT, with a port from 0 to 65535' })
    return z.NEVER
  }
  return { host: match[1] ?? match[2] ?? null, port }
})

export interface ListenAddress {
  host: string
  port: number
}

/** Where the program listens, keeps things and writes its log. */
export const listenersSettings = {
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
  })
} as const

export const listenersDefaults = {
  field: { host: '0.0.0.0', port: 8700 },
  admin: { host: '127.0.0.1', port: 8701 },
  mqtt: { host: '0.0.0.0', port: 1883 },
  logLevel: 'info'
} as const satisfies ValuesOf<typeof listenersSettings>

/** The address that somebody named, at the default's host where only a port was; else the default. */
export function listen(
  value: { host: string | null; port: number } | undefined,
  fallback: ListenAddress
): ListenAddress {
  return value ? { host: value.host ?? fallback.host, port: value.port } : fallback
}

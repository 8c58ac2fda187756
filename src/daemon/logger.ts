import { type DestinationStream, destination, type Logger, pino } from 'pino'

/** Names whose values never reach a log, wherever they appear in what is logged (two levels deep). */
const SECRET_NAMES = [
  'authorization',
  'cookie',
  'token',
  'secret',
  'password',
  'secretKey',
  'secretAccessKey',
  'sessionToken',
  'security_token',
  'access_key_secret',
  '["x-auth-token"]',
  '["x-amz-security-token"]',
  '["set-cookie"]'
]

/** The daemon's log: JSON lines on standard error, so that standard output stays free for answers. */
export function createLogger(level: string, stream: DestinationStream = destination({ fd: 2, sync: true })): Logger {
  const paths = SECRET_NAMES.flatMap((name) => {
    const dot = name.startsWith('[') ? '' : '.'
    return [name, `*${dot}${name}`, `*.*${dot}${name}`]
  })
  return pino({ level, base: null, redact: { paths, censor: '[removed]' } }, stream)
}

import { z } from 'zod'

/**
 * What an answer says of a path's configuration. Other fields are left out: several of them run commands on the host,
 * so nothing here may read, keep or send them.
 */
export const pathConfSchema = z
  .object({
    source: z.string(),
    /** SHA-256 of a certificate that the source signed itself. */
    sourceFingerprint: z.string(),
    sourceOnDemand: z.boolean(),
    rtspTransport: z.enum(['automatic', 'udp', 'multicast', 'tcp']),
    overridePublisher: z.boolean(),
    record: z.boolean(),
    recordPath: z.string(),
    recordFormat: z.enum(['fmp4', 'mpegts']),
    recordPartDuration: z.string(),
    recordSegmentDuration: z.string(),
    recordDeleteAfter: z.string()
  })
  .partial()

/** The fields of a path's configuration that are ours to set. Durations as MediaMTX writes them (`15m`). */
export type PathConf = z.output<typeof pathConfSchema>

const MAX_PATH_NAME_LENGTH = 128
const PATH_NAME = /^live\/[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{8}$/

/** Whether a path is named as ours are, `live/<slug>-<8 hex digits>`; nothing else may get into a URL of the media server. */
export function isPathName(name: string): boolean {
  return name.length <= MAX_PATH_NAME_LENGTH && PATH_NAME.test(name)
}

type FieldName = keyof PathConf

/** How the fields compare that MediaMTX writes in its own way. */
const NORMALISED: Partial<Record<FieldName, (text: string) => string | number>> = {
  recordPartDuration: durationMs,
  recordSegmentDuration: durationMs,
  recordDeleteAfter: durationMs,
  sourceFingerprint: (text) => text.toLowerCase()
}

/** What of `wanted` does not hold in `actual`, with the values to send; empty when all of it does. */
export function diffOf(wanted: PathConf, actual: PathConf): PathConf {
  const differing = (Object.keys(wanted) as FieldName[]).filter(
    (name) => wanted[name] !== undefined && comparable(name, wanted) !== comparable(name, actual)
  )
  return Object.fromEntries(differing.map((name) => [name, wanted[name]]))
}

function comparable(name: FieldName, conf: PathConf): unknown {
  const value = conf[name]
  return typeof value === 'string' ? (NORMALISED[name]?.(value) ?? value) : value
}

const UNIT_MS: Record<string, number> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6
}

/** A duration as MediaMTX writes it: `1d12h0m0s`, and nothing for 0. What is no duration compares as it is. */
function durationMs(text: string): number | string {
  if (!/^(\d+(\.\d+)?(d|h|ms|m|s|us|µs|ns))*$/.test(text)) return text === '0' ? 0 : text
  return [...text.matchAll(/(\d+(?:\.\d+)?)([a-zµ]+)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * UNIT_MS[unit!]!,
    0
  )
}

import { z } from 'zod'
import { readyInfoSchema } from './ready.ts'

/**
 * What the desktop shell tells the daemon's process. `start` comes first and once; `stop` asks for a graceful end; `power` says what
 * the computer runs on, when that changes; mains until it is said.
 */
export const hostCommandSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    dataDir: z.string().min(1),
    env: z.record(z.string(), z.string())
  }),
  z.object({ type: z.literal('stop') }),
  z.object({ type: z.literal('power'), onBattery: z.boolean() })
])

/**
 * What the daemon's process tells the desktop shell. After `failed` it exits with code 1. `activity` says whether
 * uploads or jobs are in flight, and is sent when that changes.
 */
export const hostReportSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), ready: readyInfoSchema }),
  z.object({ type: z.literal('failed'), code: z.string().min(1), message: z.string() }),
  z.object({ type: z.literal('activity'), busy: z.boolean() })
])

export type HostCommand = z.infer<typeof hostCommandSchema>
export type HostReport = z.infer<typeof hostReportSchema>

import type { Logger } from 'pino'
import type { z } from 'zod'

/**
 * What limits how many run at once: the processor, waiting for disks and stores, (films) minutes and hours of a process that yields
 * to everything else, or waiting for strangers on the Internet.
 */
export type JobLane = 'cpu' | 'io' | 'film' | 'net'

/** Before everything that merely has to be done some time: somebody looks at the screen and waits. */
export const URGENT_PRIORITY = 0

/** A kind of work that survives a crash. Declared beside its feature, bound to a handler in the composition root. */
export interface JobDefinition<Payload extends z.ZodType = z.ZodType> {
  /** `feature.verb`; stored in the row, so it never changes. */
  name: string
  payload: Payload
  lane: JobLane
  /** How many of this kind run at once, when fewer than the lane has places: a slow one must not keep the others waiting. */
  maxAtOnce?: number
  /** Lower runs first, among all kinds of a lane. */
  priority: number
  maxAttempts: number
  /** After this the handler's signal aborts and the attempt counts as failed. */
  timeoutMs: number
  /** At most one queued job of this name has a given key; enqueueing it again changes nothing. */
  dedupeKey?(payload: z.output<Payload>): string
  /** The asset whose inspector shows this job. */
  assetId?(payload: z.output<Payload>): string
}

export interface JobContext {
  /** Aborted by cancellation, the time limit and shutdown. */
  signal: AbortSignal
  log: Logger
  /** 1 on the first run. */
  attempt: number
  /** Tells how far the work is, 0 to 1, and renews the lease. */
  reportProgress(fraction: number): void
}

/** A definition with its handler. Handlers may run twice for one job and must do no harm then. */
export interface BoundJob {
  definition: JobDefinition
  run(payload: unknown, context: JobContext): Promise<void>
}

/** Declares a job; only fixes the types. */
export function defineJob<Payload extends z.ZodType>(definition: JobDefinition<Payload>): JobDefinition<Payload> {
  return definition
}

/** Couples a definition with the function that does the work. */
export function bindJob<Payload extends z.ZodType>(
  definition: JobDefinition<Payload>,
  handler: (payload: z.output<Payload>, context: JobContext) => Promise<void>
): BoundJob {
  return {
    definition: definition as unknown as JobDefinition,
    run: (payload, context) => handler(definition.payload.parse(payload), context)
  }
}

/** Thrown by a handler: run again after the pause without using up an attempt (for example while the store is away). */
export class JobDeferred extends Error {
  override readonly name = 'JobDeferred'
  readonly delayMs: number
  constructor(delayMs: number, reason: string, options?: { cause?: unknown }) {
    super(reason, options)
    this.delayMs = delayMs
  }
}

/** Thrown by a handler: trying again cannot help; the job is dead at once. */
export class JobHopeless extends Error {
  override readonly name = 'JobHopeless'
}

import type { ProblemCode } from '../shared/problem.ts'

/** A refusal with a stable code. `details` reach the caller; `cause` reaches the log only. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ProblemCode
  readonly details: Record<string, unknown> | undefined
  constructor(code: ProblemCode, details?: Record<string, unknown>, options?: { cause?: unknown }) {
    super(code, options)
    this.code = code
    this.details = details
  }
}

/** The daemon cannot start, or a command do its work, for a reason a person can act on; the command line prints `message`. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
  readonly code: string
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

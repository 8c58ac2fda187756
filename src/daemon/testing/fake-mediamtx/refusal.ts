import { messageOf } from '../../errors.ts'

/** What a handler of the server answers instead of what was asked for: an HTTP status and the text of `error`. */
export class Refusal extends Error {
  readonly status: number
  readonly headers: Record<string, string>

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** Runs something that throws in the server's words, and answers them with a status unless they have one of their own. */
export function orRefuse<Result>(status: number, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal(status, messageOf(error))
  }
}

/** Runs something that throws, and says before its words what went wrong. */
export function withPrefix<Result>(prefix: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw new Error(`${prefix}: ${messageOf(error)}`)
  }
}

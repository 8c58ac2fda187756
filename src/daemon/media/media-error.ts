import type { MediaProblem } from '../../shared/api/assets.ts'

/** Why the content of a file cannot be used. Trying the same bytes again gives the same answer. */
export class MediaError extends Error {
  override readonly name = 'MediaError'
  readonly problem: MediaProblem
  constructor(problem: MediaProblem, message: string, options?: ErrorOptions) {
    super(message, options)
    this.problem = problem
  }
}

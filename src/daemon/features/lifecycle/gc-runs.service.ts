import type { GcRun } from '../../../shared/api/lifecycle.ts'
import { currentActor } from '../../audit/acting.ts'
import { type Clock, isoFromMs } from '../../clock.ts'
import { newId } from '../../ids.ts'
import type { Collector } from './collector.ts'
import type { GcRunsRepository } from './gc-runs.repository.ts'

/** Six weeks of a run every hour. */
const KEPT_RUNS = 1000

/** Runs the collector, one run after the other, and keeps what each of them did. */
export class GcRuns {
  readonly #deps: { collector: Collector; repository: GcRunsRepository; clock: Clock }
  #last: Promise<unknown> = Promise.resolve()

  constructor(deps: { collector: Collector; repository: GcRunsRepository; clock: Clock }) {
    this.#deps = deps
  }

  /** One run for the current actor, after the one that runs already; `signal` ends it early. */
  run(options: { isDryRun: boolean; signal?: AbortSignal }): Promise<GcRun> {
    const run = this.#last.then(() => this.#run(options))
    this.#last = run.catch(() => undefined)
    return run
  }

  async #run(options: { isDryRun: boolean; signal?: AbortSignal }): Promise<GcRun> {
    const { collector, repository, clock } = this.#deps
    const { id, name } = currentActor()
    const startedAtMs = clock.nowMs()
    const from = performance.now()
    const report = await collector.run(options)
    const run: GcRun = {
      id: newId(startedAtMs),
      startedAt: isoFromMs(startedAtMs),
      durationMs: Math.round(performance.now() - from),
      actor: { id, name },
      ...report
    }
    repository.insert(run, KEPT_RUNS)
    return run
  }
}

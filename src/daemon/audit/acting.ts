import { AsyncLocalStorage } from 'node:async_hooks'
import type { AuditActor } from '../../shared/api/audit.ts'

const actors = new AsyncLocalStorage<AuditActor>()

/** Runs `work`, and whatever it waits for, as done by `actor`. */
export function actingAs<T>(actor: AuditActor, work: () => T): T {
  return actors.run(actor, work)
}

/** Runs `work` as done by the program itself, on no request of anybody: a job or something that is tidied. */
export function actingBySystem<T>(task: string, work: () => T): T {
  return actors.run(systemActor(task), work)
}

/** Who does what happens now. */
export function currentActor(): AuditActor {
  return actors.getStore() ?? systemActor('daemon')
}

function systemActor(task: string): AuditActor {
  return { id: `system:${task}`, name: task, sessionId: null, remoteAddress: null }
}

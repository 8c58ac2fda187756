import type { EndpointBinder } from './http/bind-endpoint.ts'
import type { BoundJob } from './jobs/define-job.ts'
import type { UpkeepTask } from './upkeep.ts'

/** What a feature gives to the composition root; each part only where the feature has one. */
export interface Feature {
  /** Binds its operations of the contract. */
  bind?(binder: EndpointBinder): void
  /** Its kinds of work, with their handlers. */
  jobs?: BoundJob[]
  /** What it tidies every hour, in this order. */
  upkeep?: UpkeepTask[]
  /** Begins what it does by itself; called when the listeners are open. */
  start?(): void
  /** Ends that and waits for it. Called after the last job and the last controller's request, before the admin listener closes. */
  stop?(): Promise<void>
}

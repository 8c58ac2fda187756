import type { Feature } from '../../feature.ts'
import { WebhooksRepository } from './webhooks.repository.ts'
import { bindWebhooks } from './webhooks.routes.ts'
import { WebhooksService, type WebhooksServiceDeps } from './webhooks.service.ts'

const TIMEOUT_MS = 15_000

/** Addresses that are told what happens, by Standard Webhooks. */
export function createWebhooks(
  deps: Omit<WebhooksServiceDeps, 'repository' | 'userAgent' | 'timeoutMs'> & { version: string }
): Feature {
  const service = new WebhooksService({
    ...deps,
    repository: new WebhooksRepository(deps.db),
    userAgent: `Flightcase/${deps.version}`,
    timeoutMs: TIMEOUT_MS
  })
  return {
    bind: (binder) => bindWebhooks(binder, service),
    start: () => service.start(),
    stop: () => service.stop()
  }
}

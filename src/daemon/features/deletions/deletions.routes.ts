import { cancelDeletion, listDeletions, takeEvent } from '../../../shared/api/deletions.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import type { DeletionsRepository } from './deletions.repository.ts'
import type { DeletionsService } from './deletions.service.ts'

export function bindDeletions(
  binder: EndpointBinder,
  { service, repository }: { service: DeletionsService; repository: DeletionsRepository }
): void {
  binder.bind(takeEvent, ({ body }) => service.accept(body))
  binder.bind(listDeletions, ({ query }) => {
    const found = repository.list({ ...query, limit: query.limit + 1 })
    const items = found.slice(0, query.limit)
    return { items, nextCursor: found.length > query.limit ? items.at(-1)!.id : null }
  })
  binder.bind(cancelDeletion, ({ params }) => service.cancel(params.deletionId))
}

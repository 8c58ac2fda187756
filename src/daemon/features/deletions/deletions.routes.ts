import { cancelDeletion, listDeletions, takeEvent } from '../../../shared/api/deletions.ts'
import { pageFrom } from '../../db/page.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import type { DeletionsRepository } from './deletions.repository.ts'
import type { DeletionsService } from './deletions.service.ts'

export function bindDeletions(
  binder: EndpointBinder,
  { service, repository }: { service: DeletionsService; repository: DeletionsRepository }
): void {
  binder.bind(takeEvent, ({ body }) => service.accept(body))
  binder.bind(listDeletions, ({ query }) =>
    pageFrom(repository.list({ ...query, limit: query.limit + 1 }), query.limit, ({ id }) => id)
  )
  binder.bind(cancelDeletion, ({ params }) => service.cancel(params.deletionId))
}

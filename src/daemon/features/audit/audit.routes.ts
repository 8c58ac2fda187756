import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { exportAudit, listAudit, verifyAudit } from '../../../shared/api/audit.ts'
import { lineOf } from '../../audit/audit-log.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { goneSignal } from '../../http/gone-signal.ts'
import type { AuditRepository } from './audit.repository.ts'
import type { AuditService } from './audit.service.ts'

export function bindAudit(binder: EndpointBinder, deps: { repository: AuditRepository; service: AuditService }): void {
  const { repository, service } = deps
  binder.bind(listAudit, ({ query }, { caller }) => repository.list(query, caller.workspaceIds))
  binder.bindStream(exportAudit, async (_, { response }) => {
    response.writeHead(200, {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'content-disposition': 'attachment; filename="audit.ndjson"',
      'cache-control': 'no-store'
    })
    try {
      await pipeline(Readable.from(lines(service)), response)
    } catch (error) {
      // Who leaves in the middle is no error.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    }
  })
  binder.bind(verifyAudit, (_, { response }) => service.verify(goneSignal(response)))
}

async function* lines(service: AuditService): AsyncGenerator<string> {
  for await (const row of service.readAll()) yield lineOf(row)
}

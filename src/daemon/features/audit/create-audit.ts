import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { Feature } from '../../feature.ts'
import { AuditRepository } from './audit.repository.ts'
import { bindAudit } from './audit.routes.ts'
import { AuditService } from './audit.service.ts'
import { NotedHead } from './noted-head.ts'

/** Shows, exports and verifies the audit, and notes its end outside the catalogue and in the log. */
export function createAudit(deps: { db: Database; clock: Clock; log: Logger; dataDir: string }): Feature {
  const { db, clock, log, dataDir } = deps
  const repository = new AuditRepository(db)
  const service = new AuditService({ repository, noted: new NotedHead(join(dataDir, 'audit.head'), clock) })
  const noteHead = async (): Promise<void> => {
    try {
      const head = await service.noteHead()
      if (head) log.info(head, 'the end of the audit')
    } catch (error) {
      log.error({ err: error }, 'the end of the audit was not noted')
    }
  }
  return {
    bind: (binder) => bindAudit(binder, { repository, service }),
    upkeep: [{ name: 'end of the audit', run: noteHead }],
    stop: noteHead
  }
}

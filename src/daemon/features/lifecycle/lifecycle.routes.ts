import { deleteAsset, restoreAsset } from '../../../shared/api/assets.ts'
import { collectGarbage, emptyBin, getBin, listGcRuns } from '../../../shared/api/lifecycle.ts'
import {
  createReference,
  createReferences,
  deleteReference,
  deleteReferences,
  findReferences,
  listReferences,
  MAX_BATCH
} from '../../../shared/api/references.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import { isoFromMs } from '../../clock.ts'
import { pageFrom } from '../../db/page.ts'
import { AppError } from '../../errors.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { goneSignal } from '../../http/gone-signal.ts'
import type { BinService, DeletingCaller } from './bin.service.ts'
import type { Collector } from './collector.ts'
import type { GcRunsRepository } from './gc-runs.repository.ts'
import type { GcRuns } from './gc-runs.service.ts'
import { stateOf } from './lifecycle.ts'
import type { ReferencesRepository } from './references.repository.ts'
import type { ReferencesService } from './references.service.ts'

export interface LifecycleRouteDeps {
  holders: ReferencesRepository
  references: ReferencesService
  bin: BinService
  collector: Collector
  gcRuns: GcRuns
  gcRunRows: GcRunsRepository
  audit: AuditLog
}

export function bindLifecycle(binder: EndpointBinder, deps: LifecycleRouteDeps): void {
  const { holders, references, bin, collector, gcRuns, gcRunRows, audit } = deps
  binder.bind(listReferences, ({ params: { assetId }, query }) => {
    if (!holders.findLife(assetId)) throw new AppError('asset_not_found', { assetId })
    return pageFrom(holders.listOfAsset(assetId, { ...query, limit: query.limit + 1 }), query.limit, ({ id }) => id)
  })
  binder.bind(findReferences, ({ query }, { caller }) =>
    pageFrom(
      holders.listOfHolder(query, caller.workspaceIds, { ...query, limit: query.limit + 1 }),
      query.limit,
      ({ id }) => id
    )
  )
  binder.bind(createReference, ({ params, body }) => references.create(params.assetId, body))
  binder.bind(createReferences, ({ body }) => references.createBatch(body.references))
  binder.bind(deleteReference, ({ params }) => {
    const { assetId, life } = references.delete(params.referenceId)
    return { assetId, refCount: life.refCount, state: stateOf(life) }
  })
  binder.bind(deleteReferences, ({ body }, { caller: { workspaceIds } }) => {
    if ('referenceIds' in body)
      return { deletedCount: references.deleteMany(body.referenceIds, workspaceIds), isMore: false }
    const deletedCount = references.deleteOfHolder(body, workspaceIds, MAX_BATCH)
    return { deletedCount, isMore: deletedCount === MAX_BATCH }
  })
  binder.bind(deleteAsset, ({ params: { assetId }, query }, { caller }) => {
    if ((query.permanent || query.force) && caller.role !== 'admin') throw new AppError('forbidden', { needs: 'admin' })
    if (query.permanent) {
      collector.purge(assetId)
      return { outcome: 'purged' as const, refCount: 0 }
    }
    const { outcome, life } = bin.delete(assetId, {
      guard: query.guard,
      force: query.force,
      caller: callerOf(query)
    })
    return { outcome, refCount: life.refCount }
  })
  binder.bind(restoreAsset, ({ params: { assetId } }) => {
    bin.restore(assetId)
    const life = holders.findLife(assetId)!
    return { refCount: life.refCount, state: stateOf(life) }
  })
  binder.bind(getBin, async (_, { response }) => {
    const { atMs, ...measured } = await collector.measureBin(goneSignal(response))
    return { at: isoFromMs(atMs), ...measured }
  })
  binder.bind(emptyBin, async ({ body }, { response }) => {
    const signal = goneSignal(response)
    const emptied = await collector.emptyBin({ untilMs: Date.parse(body.before), limit: body.limit, signal })
    audit.record('bin.emptied', 'bin', { before: body.before, ...emptied })
    return emptied
  })
  binder.bind(collectGarbage, async ({ body }, { response }) => {
    const { actor, ...run } = await gcRuns.run({ isDryRun: body.dryRun, signal: goneSignal(response) })
    if (!body.dryRun) audit.record('gc.run', 'gc', run)
    return { actor, ...run }
  })
  binder.bind(listGcRuns, ({ query }) =>
    pageFrom(gcRunRows.list({ ...query, limit: query.limit + 1 }), query.limit, ({ id }) => id)
  )
}

function callerOf(query: {
  referenceId?: string | undefined
  namespace?: string | undefined
  owner?: string | undefined
  externalId?: string | undefined
}): DeletingCaller {
  if (query.referenceId !== undefined) return { referenceId: query.referenceId }
  if (query.namespace === undefined) return null
  return { namespace: query.namespace, owner: query.owner ?? null, externalId: query.externalId ?? null }
}

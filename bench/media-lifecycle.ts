import { constants } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { type AdminAccess, openAdmin } from '../src/demo/admin-access.ts'
import { launchDaemon } from '../src/demo/daemon-process.ts'
import { listAssets } from '../src/shared/api/assets.ts'
import { collectGarbage } from '../src/shared/api/lifecycle.ts'
import { createReferences, findReferences, listReferences, MAX_BATCH } from '../src/shared/api/references.ts'
import { seededData } from './million.ts'
import { processorSeconds, untilQuiet } from './process-facts.ts'
import { type Figure, median, percentile } from './report.ts'

const HOUR_MS = 3_600_000
/** The collector runs for real at the start and would take everything away; so it all becomes due a little later. */
const DUE_AFTER_MS = 40_000
/** The order in which they become due is not the one in which they were made. */
const SPREAD_MS = 10_000
const ROUNDS = 5
const BATCHES = 10
const PAGE = 100

/** How fast the base counts what it would take away, and how fast many references are made and listed. */
export async function benchLifecycle({ quick }: { quick: boolean }): Promise<{ figures: Figure[]; notes: string[] }> {
  const seeded = await seededData(quick ? 20_000 : 1_000_000)
  const root = join(import.meta.dirname, '..', '.cache', 'bench')
  await mkdir(root, { recursive: true })
  const dataDir = await mkdtemp(join(root, 'lifecycle-'))
  try {
    const catalogue = join(dataDir, 'flightcase.db')
    await copyFile(join(seeded.dataDir, 'flightcase.db'), catalogue, constants.COPYFILE_FICLONE)
    const sinceMs = await letGoOfAll(dataDir, catalogue)
    const dueAtMs = Date.now() + DUE_AFTER_MS
    const hours = (dueAtMs - sinceMs) / HOUR_MS
    const daemon = launchDaemon({
      dataDir,
      env: {
        FLIGHTCASE_LOG_LEVEL: 'warn',
        FLIGHTCASE_GRACE_HOURS: hours.toFixed(6),
        FLIGHTCASE_WARN_HOURS: '0',
        FLIGHTCASE_BIN_DAYS: (hours / 24).toFixed(8)
      }
    })
    try {
      const admin = openAdmin((await daemon.ready).admin)
      await untilQuiet(daemon.pid, 600_000)
      await pause(Math.max(0, dueAtMs - Date.now()))
      const alone = await slowestAnswer(admin, () => pause(2000))
      const dryRuns: { tookMs: number; processorS: number }[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const processorFrom = processorSeconds(daemon.pid)
        const tookMs = await timed(() => dryRun(admin, seeded.count))
        dryRuns.push({ tookMs, processorS: processorSeconds(daemon.pid) - processorFrom })
      }
      const othersMs: number[] = []
      for (let round = 0; round < ROUNDS; round++)
        othersMs.push(await slowestAnswer(admin, () => dryRun(admin, seeded.count)))
      const references = await makeReferences(admin)
      return {
        figures: [
          {
            name: `GC dry run over ${seeded.count} assets, the first`,
            value: dryRuns[0]!.tookMs / 1000,
            unit: 's'
          },
          {
            name: `GC dry run over ${seeded.count} assets`,
            value: median(dryRuns.map(({ tookMs }) => tookMs)) / 1000,
            unit: 's',
            goal: { atMost: 2 }
          },
          {
            name: 'the same, processor time of the daemon',
            value: median(dryRuns.map(({ processorS }) => processorS)),
            unit: 's'
          },
          {
            name: 'slowest list of assets during a dry run',
            value: median(othersMs),
            unit: 'ms',
            goal: { atMost: 50 }
          },
          { name: 'slowest list of assets without it', value: alone, unit: 'ms' },
          {
            name: `${MAX_BATCH} references in a batch`,
            value: median(references.batchMs) / 1000,
            unit: 's',
            goal: { atMost: 1 }
          },
          {
            name: `page of ${BATCHES * MAX_BATCH} references of an asset, p95`,
            value: percentile(references.ofAssetMs, 0.95),
            unit: 'ms',
            goal: { atMost: 15 }
          },
          {
            name: `page of ${BATCHES * MAX_BATCH} references of a namespace, p95`,
            value: percentile(references.ofNamespaceMs, 0.95),
            unit: 'ms',
            goal: { atMost: 15 }
          }
        ],
        notes: [
          `GC: half of the assets wait for a reference beyond the grace period, half are in the bin beyond their time; medians of ${ROUNDS}`,
          `references: batches of ${MAX_BATCH} for one asset, pages of ${PAGE}; median of ${BATCHES} batches`
        ]
      }
    } finally {
      await daemon.stop()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Has the catalogue migrated, then takes every reference away and bins every second asset. Gives since when, at the latest. */
async function letGoOfAll(dataDir: string, catalogue: string): Promise<number> {
  const daemon = launchDaemon({ dataDir, env: { FLIGHTCASE_GRACE_HOURS: '87600', FLIGHTCASE_BIN_DAYS: '36500' } })
  await daemon.ready
  await daemon.stop()
  const db = new Sqlite(catalogue, { fileMustExist: true })
  db.pragma('synchronous = OFF')
  db.pragma('cache_size = -1048576')
  const sinceMs = Date.now()
  db.exec(`
    DELETE FROM reference;
    -- There are no objects here for the daemon to compare with the catalogue.
    DELETE FROM pilot_file;
    DELETE FROM pilot_object;
    UPDATE blob SET store = 'elsewhere';
    UPDATE asset SET state = 'binned', ref_count = 0, binned_at_ms = ${sinceMs} - abs(random() % ${SPREAD_MS})
      WHERE unicode(substr(id, -1)) % 2 = 0;
    UPDATE asset SET state = 'pending_reference', ref_count = 0, pending_since_ms = ${sinceMs} - abs(random() % ${SPREAD_MS})
      WHERE state = 'active';
  `)
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
  return sinceMs
}

async function dryRun(admin: AdminAccess, expected: number): Promise<void> {
  const report = await admin.api.call(collectGarbage, { body: { dryRun: true } })
  if (report.binned + report.purged !== expected) throw new Error(`unexpected report: ${JSON.stringify(report)}`)
}

/** The longest that anybody waits for a list of assets while `work` goes on. */
async function slowestAnswer(admin: AdminAccess, work: () => Promise<unknown>): Promise<number> {
  let slowestMs = 0
  let isOver = false
  const asking = async () => {
    while (!isOver)
      slowestMs = Math.max(slowestMs, await timed(() => admin.api.call(listAssets, { query: { limit: 50 } })))
  }
  const asked = asking()
  try {
    await work()
  } finally {
    isOver = true
    await asked
  }
  return slowestMs
}

async function makeReferences(admin: AdminAccess) {
  const { items } = await admin.api.call(listAssets, { query: { limit: 1 } })
  const assetId = items[0]!.id
  const namespace = 'bench'
  const batchMs: number[] = []
  for (let batch = 0; batch < BATCHES; batch++) {
    const references = Array.from({ length: MAX_BATCH }, (_, index) => ({
      assetId,
      namespace,
      owner: `owner-${index % 100}`,
      externalId: `post-${batch}-${index}`
    }))
    batchMs.push(await timed(() => admin.api.call(createReferences, { body: { references } })))
  }
  const ofAssetMs: number[] = []
  const ofNamespaceMs: number[] = []
  for (let cursor: string | undefined, page = 0; page < (BATCHES * MAX_BATCH) / PAGE; page++) {
    ofNamespaceMs.push(
      await timed(() =>
        admin.api.call(findReferences, { query: { namespace, limit: PAGE, ...(cursor && { cursor }) } })
      )
    )
    const startedAt = performance.now()
    const listed = await admin.api.call(listReferences, {
      params: { assetId },
      query: { limit: PAGE, ...(cursor && { cursor }) }
    })
    ofAssetMs.push(performance.now() - startedAt)
    cursor = listed.nextCursor ?? undefined
  }
  return { batchMs, ofAssetMs, ofNamespaceMs }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

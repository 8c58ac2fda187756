import fc from 'fast-check'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ExternalServer } from '../../mediamtx/external-server.ts'
import { diffOf } from '../../mediamtx/path-conf.ts'
import { aSource } from '../../testing/a-source.ts'
import type { FakeMediaMtx } from '../../testing/fake-mediamtx/fake-mediamtx.ts'
import { startFakeMediaMtx } from '../../testing/fake-mediamtx/start-fake-mediamtx.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { PathReconciler } from './path-reconciler.ts'
import { type Source, SourcesRepository } from './sources.repository.ts'
import { wantedPath } from './wanted-path.ts'

const log = pino({ level: 'silent' })
const room = { isShort: false }
const recordConf = {
  recordPath: '/r/%path/%s-%f',
  recordSegmentDuration: '900s',
  recordDeleteAfter: '0s',
  mayRecord: () => !room.isShort
}

function sourceOf(n: number, changes: Partial<Source> = {}): Source {
  const number = String(n)
  return aSource({
    id: number.padStart(26, '0'),
    name: `cam ${n}`,
    pathName: `live/cam-${number.padStart(8, '0')}`,
    ...changes
  })
}

async function startBench(options: { ownsPaths?: boolean } = {}) {
  const mediamtx = await startFakeMediaMtx()
  onTestFinished(() => mediamtx.close())
  const db = testDatabase()
  const repository = new SourcesRepository(db)
  const server = new ExternalServer({
    server: { apiUrl: mediamtx.urls.api, credential: null, auth: null },
    publicHost: null,
    log,
    livenessMs: 50
  })
  onTestFinished(() => server.stop())
  const reconciler = new PathReconciler({
    repository,
    server,
    recordConf,
    ownsPaths: options.ownsPaths ?? true,
    log,
    // Only what happens shall begin it.
    intervalMs: 3_600_000
  })
  reconciler.start()
  onTestFinished(() => reconciler.stop())
  server.start()
  await vi.waitFor(() => server.client())
  // The one that becoming ready began is over then.
  await reconciler.run()
  return { mediamtx, db, repository, server, reconciler }
}

/** What the media server has of ours that is not as the rows want it. */
async function wrongPaths({ server, repository }: Awaited<ReturnType<typeof startBench>>): Promise<string[]> {
  const actual = await server.client().listPathConfs()
  const sources = repository.all()
  const known = new Set(sources.map(({ pathName }) => pathName))
  return [
    ...sources.filter((source) => {
      const conf = actual.get(source.pathName)
      return !conf || Object.keys(diffOf(wantedPath(source, recordConf), conf)).length > 0
    }),
    ...[...actual.keys()].filter((name) => !known.has(name)).map((pathName) => ({ pathName }))
  ].map(({ pathName }) => pathName)
}

const writesOf = (mediamtx: FakeMediaMtx) => mediamtx.journal.filter(({ method }) => method !== 'GET').length

describe('reconciliation', () => {
  test('writes what is missing or differs, removes what nobody has, and then has nothing to do', async () => {
    const bench = await startBench()
    const { mediamtx, db, repository, server, reconciler } = bench
    db.transaction(() => {
      repository.insert(sourceOf(1))
      repository.insert(sourceOf(2, { type: 'pull', url: 'rtsp://u:p@10.0.0.1/x', publishKey: null, onDemand: true }))
      repository.insert(sourceOf(3, { recordEnabled: true, enabled: false }))
    })
    await server.client().addPath(sourceOf(1).pathName, { record: true })
    await server.client().addPath('live/nobody-0a1b2c3d', {})
    expect(await reconciler.run()).toEqual({ written: 3, removed: 1, failed: 0 })
    await vi.waitFor(async () => expect(await wrongPaths(bench)).toEqual([]))
    const before = writesOf(mediamtx)
    expect(await reconciler.run()).toEqual({ written: 0, removed: 0, failed: 0 })
    expect(writesOf(mediamtx)).toBe(before)
  })

  test('leaves alone what others have on a server that is theirs, too', async () => {
    const { server, reconciler } = await startBench({ ownsPaths: false })
    await server.client().addPath('live/others-0a1b2c3d', {})
    expect(await reconciler.run()).toMatchObject({ removed: 0 })
    expect(await server.client().getPathConf('live/others-0a1b2c3d')).not.toBeNull()
  })

  test('begins by itself when the server has started again or is back', async () => {
    const bench = await startBench()
    bench.db.transaction(() => bench.repository.insert(sourceOf(1)))
    await bench.mediamtx.restart()
    await vi.waitFor(async () => expect(await wrongPaths(bench)).toEqual([]), { timeout: 5000 })
  })

  test('ends when it is ended, however much is left to write', async () => {
    const { db, repository, mediamtx, reconciler } = await startBench()
    db.transaction(() => {
      for (const n of [1, 2, 3]) repository.insert(sourceOf(n))
    })
    const running = reconciler.run()
    await reconciler.stop()
    expect(await running).toMatchObject({ written: 0 })
    expect(writesOf(mediamtx)).toBe(0)
  })

  test('tells of a path that the server does not take, and goes on with the others', async () => {
    const { mediamtx, db, repository, reconciler } = await startBench()
    db.transaction(() => {
      for (const n of [1, 2]) repository.insert(sourceOf(n))
    })
    const { id, pathName } = sourceOf(1)
    mediamtx.failNext(`POST /v3/config/paths/replace/${pathName}`, { status: 400, error: 'no' })
    expect(await reconciler.run()).toEqual({ written: 1, removed: 0, failed: 1 })
    expect(reconciler.driftOf(id)).toBe('missing')
    expect(reconciler.driftOf(sourceOf(2).id)).toBeNull()
    await reconciler.run()
    expect(reconciler.driftOf(id)).toBeNull()
  })

  test('has nothing recorded while there is no room, and what shall be when there is', async () => {
    const { repository, reconciler, server } = await startBench()
    const source = sourceOf(1, { recordEnabled: true })
    repository.insert(source)
    const recorded = async () => (await server.client().getPathConf(source.pathName))?.record
    for (const isShort of [false, true, false]) {
      room.isShort = isShort
      await reconciler.run()
      await vi.waitFor(async () => expect(await recorded()).toBe(!isShort))
    }
  })

  test('whatever happened to rows and paths, one pass puts the paths right', async () => {
    const bench = await startBench()
    const { mediamtx, db, repository, server, reconciler } = bench
    const n = fc.integer({ min: 1, max: 4 })
    const change = fc.record({ n, enabled: fc.boolean(), recordEnabled: fc.boolean(), pulled: fc.boolean() })
    const step = fc.oneof(
      change.map((to) => () => {
        const changes = { enabled: to.enabled, recordEnabled: to.recordEnabled }
        const url = to.pulled ? { type: 'pull' as const, url: `rtsp://10.0.0.${to.n}/x`, publishKey: null } : {}
        db.transaction(() => {
          repository.delete(sourceOf(to.n).id)
          repository.insert(sourceOf(to.n, { ...changes, ...url }))
        })
      }),
      n.map((gone) => () => db.transaction(() => repository.delete(sourceOf(gone).id))),
      n.map((at) => () => server.client().deletePath(sourceOf(at).pathName)),
      n.map((at) => () => server.client().replacePath(sourceOf(at).pathName, { record: true, source: 'publisher' })),
      fc.constant(() => mediamtx.reloadFile({})),
      fc.constant(async () => void (await reconciler.run()))
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        for (const take of steps) await take()
        await reconciler.run()
        expect(await wrongPaths(bench)).toEqual([])
      }),
      { numRuns: 60 }
    )
  })
})

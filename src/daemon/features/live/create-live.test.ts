import { once } from 'node:events'
import { createServer } from 'node:net'
import { setImmediate as aTurn } from 'node:timers/promises'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { getMediaServer } from '../../../shared/api/sources.ts'
import { AuditLog } from '../../audit/audit-log.ts'
import { loadConfig } from '../../config/load.ts'
import { Outbox } from '../../events/outbox.ts'
import { startLiveBase } from '../../testing/live-base.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { temporaryFolder, testDatabase } from '../../testing/test-database.ts'
import { createLive } from './create-live.ts'

const never = (): never => {
  throw new Error('nobody asks for this')
}

test('streams that are ended while they begin do not begin any more', async () => {
  const [db, clock] = [testDatabase(), new ManualClock()]
  const dataDir = temporaryFolder('live')
  const live = createLive({
    db,
    clock,
    audit: new AuditLog({ db, clock }),
    outbox: new Outbox({ db, clock }),
    config: loadConfig({ flags: { dataDir }, env: { FLIGHTCASE_MEDIAMTX_BIN: '/nowhere/mediamtx' } }).live,
    dataDir,
    fieldHost: '127.0.0.1',
    resourcesDir: null,
    log: pino({ level: 'silent' }),
    ffmpegPath: () => null,
    isRecorded: () => false,
    mayRecord: () => true,
    assertWorkspace: never,
    onDeleting: never,
    onDeleted: never,
    storeOwn: never,
    note: never,
    getDetail: never
  })
  live.start?.()
  await live.stop?.()
  for (let turn = 0; turn < 50; turn++) await aTurn()
  expect(live.server.state().state).toBe('stopped')
  await live.stop?.()
})

test('what does not hold with a media server of others is told', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void other.close())
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const base = await startLiveBase({
    env: { FLIGHTCASE_MEDIAMTX_AUTH: `127.0.0.1:${port}`, FLIGHTCASE_RECORDINGS_MAX_GB: '1' }
  })
  expect((await base.api.call(getMediaServer, {})).warnings).toEqual([
    expect.stringContaining('live.max_gb'),
    expect.stringContaining('lets nobody in')
  ])
})

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openAdmin } from '../../../demo/admin-access.ts'
import { cacheRemoteMedia } from '../../../shared/api/remote.ts'
import { type ReadyInfo, readyInfoSchema } from '../../../shared/ready.ts'
import { openDistantStore } from '../../testing/distant-store.ts'
import { blankPng } from '../../testing/photos.ts'
import { storedKeys } from '../../testing/stored-keys.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { hexDigest, remoteEnv, startOrigin, startRemote } from './remote-bench.ts'

const png = blankPng(8, 8)

test('a store that goes away in the middle costs no attempt, and the file comes when it is back', async () => {
  const { store, gate, env } = await openDistantStore()
  let finish = () => {}
  const remote = await startRemote(
    (_, response) => {
      response.write(png)
      finish = () => void response.end('end')
    },
    { env }
  )
  const { taskId } = await remote.ask('/a')
  await remote.until(taskId, ({ status }) => status === 'fetching')
  await vi.waitFor(() => expect(remote.origin.requests).toHaveLength(1))
  gate.cut()
  finish()
  expect(await remote.until(taskId, ({ status }) => status === 'pending')).toMatchObject({ problem: null, file: null })
  gate.reopen()
  remote.origin.answer = (_, response) => void response.end(png)
  remote.clock.advanceMs(60_000)
  await remote.ask('/wakes-the-queue')
  const task = await remote.until(taskId, ({ status }) => status === 'ready')
  expect(task.file).toMatchObject({ sha256: hexDigest(png) })
  await remote.base.daemon.idle()
  const { entries } = await store.engine.listObjects({ bucket: 'media', prefix: 'cached_remote/', limit: 10 })
  expect(entries).toHaveLength(2)
})

/** The program as people start it, for a test to kill. */
async function startProgram(
  dataDir: string,
  env: Record<string, string>
): Promise<{ ready: ReadyInfo; kill(): Promise<void> }> {
  const any = '127.0.0.1:0'
  const program: ChildProcess = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../../cli.ts'),
      'serve',
      '--ready-json',
      ...['--data-dir', dataDir, '--field', any, '--admin', any, '--s3', any, '--mqtt', any]
    ],
    { env: { ...process.env, FLIGHTCASE_LOG_LEVEL: 'silent', ...env }, stdio: ['ignore', 'pipe', 'inherit'] }
  )
  const kill = async () => {
    if (program.exitCode !== null || program.signalCode !== null) return
    program.kill('SIGKILL')
    await once(program, 'exit')
  }
  onTestFinished(kill)
  for await (const line of createInterface({ input: program.stdout! }))
    return { ready: readyInfoSchema.parse(JSON.parse(line)), kill }
  throw new Error('the program ended before it was ready')
}

test('a program that is killed in the middle fetches again, and leaves nothing of the first time', async () => {
  const origin = await startOrigin((_, response) => void response.write(png))
  const dataDir = join(temporaryFolder('killed'), 'data')
  const env = remoteEnv(origin)
  const url = `http://127.0.0.1:${origin.port}/a`
  const ask = ({ admin }: ReadyInfo) => openAdmin(admin).api.call(cacheRemoteMedia, { body: { url } })
  const first = await startProgram(dataDir, env)
  const { taskId } = await ask(first.ready)
  await vi.waitFor(() => expect(origin.requests).toHaveLength(1))
  await first.kill()
  origin.answer = (_, response) => void response.end(png)
  const second = await startProgram(dataDir, env)
  await vi.waitFor(
    async () =>
      expect(await ask(second.ready)).toMatchObject({ taskId, status: 'ready', file: { sha256: hexDigest(png) } }),
    { timeout: 20_000, interval: 50 }
  )
  expect(origin.requests).toHaveLength(2)
  expect(storedKeys(dataDir).filter((key) => key.startsWith('cached_remote/'))).toHaveLength(1)
})

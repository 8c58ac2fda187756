import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../testing/test-database.ts'
import { ProcessRecord, startTimeOf } from './process-record.ts'

// Windows does not say when a process was started in a way that we ask.
const it = test.skipIf(process.platform === 'win32')

async function sleeper(script = 'setInterval(() => {}, 1000)'): Promise<ChildProcess & { pid: number }> {
  const child = spawn(process.execPath, ['-e', `${script}; console.log('up')`], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const { pid } = child
  if (pid === undefined) throw new Error('a process that speaks has a number')
  return Object.assign(child, { pid })
}

const recordIn = (folder: string) => {
  const path = join(folder, 'mediamtx.pid')
  return { path, record: new ProcessRecord(path) }
}

it('what was left over is ended, and forgotten', async () => {
  const { path, record } = recordIn(temporaryFolder('record'))
  const child = await sleeper()
  const ended = once(child, 'exit')
  record.write(child.pid)
  expect(await record.endLeftover(30_000)).toBe(child.pid)
  expect(await ended).toEqual([null, 'SIGINT'])
  expect(existsSync(path)).toBe(false)
  expect(startTimeOf(child.pid)).toBeNull()
  expect(await record.endLeftover(30_000)).toBeNull()
})

it('what does not end by itself is ended by force', async () => {
  const { record } = recordIn(temporaryFolder('record'))
  const child = await sleeper("process.on('SIGINT', () => {}); setInterval(() => {}, 1000)")
  const ended = once(child, 'exit')
  record.write(child.pid)
  await record.endLeftover(200)
  expect(await ended).toEqual([null, 'SIGKILL'])
})

it('another process that has got the number since is left alone', async () => {
  const { path, record } = recordIn(temporaryFolder('record'))
  const child = await sleeper()
  record.write(child.pid)
  const written = JSON.parse(readFileSync(path, 'utf8'))
  expect(written).toEqual({ pid: child.pid, startedAt: startTimeOf(child.pid) })
  writeFileSync(path, JSON.stringify({ ...written, startedAt: `${written.startedAt}0` }))
  expect(await record.endLeftover(30_000)).toBeNull()
  expect(startTimeOf(child.pid)).toBe(written.startedAt)
  expect(existsSync(path)).toBe(false)
})

it.each(['', '{"pid":', '{"pid":-1,"startedAt":""}', '[]'])('a record that says %j means nobody', async (text) => {
  const { path, record } = recordIn(temporaryFolder('record'))
  writeFileSync(path, text)
  expect(await record.endLeftover(30_000)).toBeNull()
})

it('two processes have not been started at the same time, one has', async () => {
  expect(startTimeOf(process.pid)).toBe(startTimeOf(process.pid))
  const child = await sleeper()
  expect(startTimeOf(child.pid)).not.toBe(startTimeOf(process.pid))
})

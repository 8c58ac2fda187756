import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { recordingLog } from '../testing/recording-log.ts'
import { temporaryFolder } from '../testing/test-database.ts'
import { Child, type ChildOptions } from './child.ts'
import { ChildLog } from './child-log.ts'
import { startTimeOf } from './process-record.ts'

// Node takes the place of MediaMTX, a script that of its configuration.

function options(script: string) {
  const dir = temporaryFolder('child')
  const configPath = join(dir, 'script.cjs')
  writeFileSync(configPath, script)
  const { log, lines } = recordingLog()
  log.level = 'debug'
  const spawned: ChildOptions = {
    programPath: process.execPath,
    configPath,
    dir,
    log: new ChildLog(log),
    onSpawned: () => {}
  }
  return { spawned, messages: () => lines.map(({ msg }) => msg) }
}

test('gets nothing of our environment that could override its configuration', async () => {
  vi.stubEnv('MTX_API', 'no')
  vi.stubEnv('RTSP_RTMP', 'no')
  vi.stubEnv('FLIGHTCASE_ADMIN_TOKEN', 'hunter2')
  const { spawned, messages } = options('console.log(Object.keys(process.env).join(), process.env.TZ, process.cwd())')
  const child = new Child(spawned)
  vi.unstubAllEnvs()
  expect(await child.ended).toBe('exit code 0')
  expect(messages()).toEqual([expect.stringMatching(/\bPATH\b.* UTC .*child/)])
  expect(messages()[0]).not.toMatch(/MTX_|RTSP_|FLIGHTCASE_/)
})

test('its last words come before its end', async () => {
  const { spawned, messages } = options("console.log('ERR: cannot'); console.error('panic: x'); process.exitCode = 3")
  expect(await new Child(spawned).ended).toBe('exit code 3')
  expect(messages().sort()).toEqual(['cannot', 'panic: x'])
})

test('one that cannot be noted does not run on', async () => {
  const { spawned } = options('setInterval(() => {}, 1000)')
  let noted = 0
  const onSpawned = (pid: number) => {
    noted = pid
    throw new Error('the disk is full')
  }
  expect(() => new Child({ ...spawned, onSpawned })).toThrow('the disk is full')
  await vi.waitFor(() => expect(() => process.kill(noted, 0)).toThrow('ESRCH'), { timeout: 30_000 })
  expect(startTimeOf(noted)).toBeNull()
})

test('a program that is not there ends at once', async () => {
  const { spawned } = options('')
  expect(await new Child({ ...spawned, programPath: join(spawned.dir, 'nowhere') }).ended).toMatch(
    /ENOENT|exit code 127/
  )
})

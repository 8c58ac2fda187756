import { expect, test } from 'vitest'
import {
  initialSupervisorState,
  type SupervisorEvent,
  type SupervisorState,
  statusOf,
  superviseDaemon,
  supervisorTimes
} from './daemon-supervisor.ts'

const ready = {
  type: 'ready',
  ready: {
    event: 'ready',
    pid: 4711,
    admin: { url: 'http://127.0.0.1:8701', token: 'secret' },
    field: { url: 'http://127.0.0.1:8700' },
    s3: { url: 'http://127.0.0.1:9000', bucket: 'media', region: 'us-east-1' }
  }
} satisfies SupervisorEvent

/** Feeds events on a clock that only `after` moves, and keeps what was done and the alarm that is set. */
function drive() {
  let nowMs = 0
  let state: SupervisorState = initialSupervisorState
  const world = {
    actions: [] as string[],
    wakeInMs: null as number | null,
    get state() {
      return state
    },
    send(event: SupervisorEvent) {
      const step = superviseDaemon(state, event, nowMs)
      state = step.state
      world.actions.push(...step.actions)
      if (step.wakeInMs !== undefined) world.wakeInMs = step.wakeInMs
      return world
    },
    after(ms: number) {
      nowMs += ms
      return world
    },
    wake() {
      if (world.wakeInMs === null) throw new Error('no alarm is set')
      world.after(world.wakeInMs)
      world.wakeInMs = null
      return world.send({ type: 'wake' })
    }
  }
  return world
}

const running = () => drive().send({ type: 'start' }).send(ready)

test('starts one process and runs when it is ready', () => {
  const world = drive().send({ type: 'start' })
  expect(statusOf(world.state)).toEqual({ state: 'starting', slow: false, lastFailure: null })
  world.send({ type: 'start' }).send(ready)
  expect(world.actions).toEqual(['fork'])
  expect(statusOf(world.state)).toEqual({ state: 'running', busy: false })
  expect(world.wakeInMs).toBeNull()
})

test('pauses grow from one second to thirty when it keeps dying', () => {
  const world = drive().send({ type: 'start' })
  const pauses = Array.from({ length: 7 }, () => {
    world.send({ type: 'exited', code: 1 })
    const pauseMs = world.wakeInMs
    world.wake()
    return pauseMs
  })
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  expect(world.actions).toEqual(Array(8).fill('fork'))
})

test('a short life does not start the pauses over, a minute does', () => {
  const world = running().after(supervisorTimes.steadyMs - 1)
  expect(world.send({ type: 'exited', code: 1 }).wakeInMs).toBe(1_000)
  world
    .wake()
    .send(ready)
    .after(supervisorTimes.steadyMs - 1)
  expect(world.send({ type: 'exited', code: 1 }).wakeInMs).toBe(2_000)
  world.wake().send(ready).after(supervisorTimes.steadyMs)
  expect(world.send({ type: 'exited', code: 1 }).wakeInMs).toBe(1_000)
})

test('says why it is not there, when it tries again, and keeps the reason while it tries', () => {
  const world = running().after(500).send({ type: 'exited', code: 137 })
  const failure = { code: 'daemon_exited', message: 'The media base stopped unexpectedly (exit code 137).' }
  expect(statusOf(world.state)).toEqual({ state: 'failed', failure, retryAtMs: 1_500 })
  expect(statusOf(world.wake().state)).toEqual({ state: 'starting', slow: false, lastFailure: failure })
})

test('a reported failure is told in its own words, and a process that then stays is killed', () => {
  const world = drive().send({ type: 'start' })
  world.send({ type: 'failed', code: 'port_in_use', message: 'Port 8700 is taken.' })
  expect(world.wake().actions).toEqual(['fork', 'kill'])
  world.send({ type: 'exited', code: 1 })
  expect(statusOf(world.state)).toMatchObject({
    state: 'failed',
    failure: { code: 'port_in_use', message: 'Port 8700 is taken.' }
  })
})

test('a slow start is said but not cut; it may still become ready', () => {
  const world = drive().send({ type: 'start' }).wake()
  expect(statusOf(world.state)).toMatchObject({ state: 'starting', slow: true })
  expect(world.actions).toEqual(['fork'])
  expect(statusOf(world.send(ready).state)).toEqual({ state: 'running', busy: false })
})

test('retry ends a pause at once, replaces a slow start once, and leaves a running or normal start alone', () => {
  const pausing = running().send({ type: 'exited', code: 1 }).send({ type: 'retry' })
  expect(pausing.actions).toEqual(['fork', 'fork'])

  const slow = drive().send({ type: 'start' }).wake().send({ type: 'retry' }).send({ type: 'retry' })
  expect(slow.actions).toEqual(['fork', 'kill'])
  expect(slow.send({ type: 'exited', code: 143 }).actions).toEqual(['fork', 'kill', 'fork'])

  expect(drive().send({ type: 'start' }).send({ type: 'retry' }).actions).toEqual(['fork'])
  expect(running().send({ type: 'retry' }).actions).toEqual(['fork'])
})

test('activity is told while running and forgotten with the process', () => {
  const world = running().send({ type: 'activity', busy: true })
  expect(statusOf(world.state)).toEqual({ state: 'running', busy: true })
  world.send({ type: 'exited', code: 1 }).wake().send(ready)
  expect(statusOf(world.state)).toEqual({ state: 'running', busy: false })
})

test('quitting asks first, kills only after the limit, and gives up on a process that will not die', () => {
  const world = running().send({ type: 'quit' }).send({ type: 'quit' })
  expect(world.actions).toEqual(['fork', 'ask-to-stop'])
  expect(world.wakeInMs).toBe(supervisorTimes.stopMs)
  expect(world.wake().actions).toEqual(['fork', 'ask-to-stop', 'kill'])
  expect(world.state.name).toBe('stopping')
  expect(world.wake().state.name).toBe('stopped')
})

test('a process that finishes when asked is not killed, and nothing starts afterwards', () => {
  const world = running().send({ type: 'quit' }).send({ type: 'exited', code: 0 }).send({ type: 'retry' })
  expect(world.state.name).toBe('stopped')
  expect(world.wakeInMs).toBeNull()
  expect(world.actions).toEqual(['fork', 'ask-to-stop'])
})

test('quitting during a pause ends at once, and during a start asks the starting process', () => {
  const pausing = running().send({ type: 'exited', code: 1 }).send({ type: 'quit' })
  expect(pausing.state.name).toBe('stopped')
  expect(pausing.wakeInMs).toBeNull()
  const starting = drive().send({ type: 'start' }).send({ type: 'quit' }).send(ready)
  expect(starting.state.name).toBe('stopping')
  expect(starting.actions).toEqual(['fork', 'ask-to-stop'])
})

import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Upkeep, type UpkeepTask } from './upkeep.ts'

const HOUR_MS = 3_600_000
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const upkeepOf = (...tasks: UpkeepTask[]) => new Upkeep({ tasks, log: pino({ level: 'silent' }) })

test('every task runs at the start and every hour, also after one that fails, until the stop', async () => {
  const ran: string[] = []
  const upkeep = upkeepOf(
    {
      name: 'a',
      run: () => {
        ran.push('a')
        throw new Error('the disk is full')
      }
    },
    { name: 'b', run: async () => void ran.push('b') }
  )
  upkeep.start()
  await vi.advanceTimersByTimeAsync(2 * HOUR_MS)
  expect(ran).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
  await upkeep.stop()
  await vi.advanceTimersByTimeAsync(3 * HOUR_MS)
  expect(ran).toHaveLength(6)
})

test('the stop waits for the task that runs, and begins no other', async () => {
  const ran: string[] = []
  const upkeep = upkeepOf(
    {
      name: 'long',
      run: (signal) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            ran.push('ended early')
            resolve()
          })
        })
    },
    { name: 'next', run: () => ran.push('next') }
  )
  upkeep.start()
  await vi.advanceTimersByTimeAsync(3 * HOUR_MS)
  await upkeep.stop()
  expect(ran).toEqual(['ended early'])
})

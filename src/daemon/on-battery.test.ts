import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { watchBattery } from './on-battery.ts'
import { temporaryFolder } from './testing/test-database.ts'

function supply(folder: string, name: string, properties: Record<string, string>): void {
  mkdirSync(join(folder, name), { recursive: true })
  for (const [property, value] of Object.entries(properties)) writeFileSync(join(folder, name, property), `${value}\n`)
}

test('a discharging battery of the computer itself is what counts', () => {
  const folder = temporaryFolder('supplies')
  let nowMs = 0
  const isOnBattery = watchBattery(folder, () => nowMs)
  supply(folder, 'AC', { type: 'Mains', online: '1' })
  supply(folder, 'mouse', { type: 'Battery', scope: 'Device', status: 'Discharging' })
  supply(folder, 'BAT0', { type: 'Battery', status: 'Charging' })
  expect(isOnBattery()).toBe(false)
  supply(folder, 'BAT0', { status: 'Discharging' })
  nowMs += 60_000
  expect(isOnBattery()).toBe(true)
  supply(folder, 'BAT0', { status: 'Full' })
  nowMs += 60_000
  expect(isOnBattery()).toBe(false)
})

test('a computer that tells nothing has mains', () => {
  expect(watchBattery(join(temporaryFolder('supplies'), 'none'))()).toBe(false)
})

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test.each(['--help', '-h'])('npm start -- %s shows the options and starts nothing', (option) => {
  const script = join(import.meta.dirname, '../scripts/start.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, option], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toContain('--data-dir')
})

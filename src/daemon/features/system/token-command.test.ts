import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../testing/test-database.ts'
import { tokenCommandOf } from './token-command.ts'

/** A folder as a clone is once it is built; its name needs quoting. */
function builtClone(): string {
  const root = join(temporaryFolder('clone'), "the team's $HOME")
  mkdirSync(join(root, 'out/daemon'), { recursive: true })
  for (const file of ['package-lock.json', 'out/daemon/cli.js']) writeFileSync(join(root, file), '')
  return root
}

test.skipIf(process.platform === 'win32')('in a built clone it works from any folder, whatever is in the names', () => {
  const root = builtClone()
  const dataDir = join(temporaryFolder('data'), `a "quoted" \`folder\``)
  const bin = temporaryFolder('bin')
  // In the place of npx: tells where it was called and with what.
  writeFileSync(join(bin, 'npx'), '#!/bin/sh\npwd\nprintf "%s\\n" "$@"\n')
  chmodSync(join(bin, 'npx'), 0o755)
  const command = tokenCommandOf({ root, dataDir, platform: 'linux' })!
  const told = execFileSync('sh', ['-c', command], {
    cwd: bin,
    encoding: 'utf8',
    env: { PATH: `${bin}:${process.env['PATH']}` }
  })
  expect(told.trim().split('\n')).toEqual([
    ...[root, 'flightcase', 'token', 'create', '--role', 'controller', '--name', 'RC-1'],
    ...['--data-dir', dataDir]
  ])
})

test('on Windows the drive changes along', () => {
  const root = builtClone()
  expect(tokenCommandOf({ root, dataDir: 'D:\\Our data', platform: 'win32' })).toBe(
    `cd /d "${root}" && npx flightcase token create --role controller --name RC-1 --data-dir "D:\\Our data"`
  )
})

test('an installed package is on the PATH', () => {
  const root = '/usr/local/lib/node_modules/flightcase'
  expect(tokenCommandOf({ root, dataDir: '/srv/data', platform: 'linux' })).toBe(
    `flightcase token create --role controller --name RC-1 --data-dir '/srv/data'`
  )
})

test('where there is no command line, none is told', () => {
  for (const root of [temporaryFolder('unbuilt'), '/opt/Flightcase/resources/app.asar'])
    expect(tokenCommandOf({ root, dataDir: '/srv/data', platform: 'linux' })).toBeNull()
})

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from './testing/test-database.ts'

/** Runs the command line to its end; output without the line break at its end. */
function flightcase(args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'cli.ts'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 30_000
  })
  return { status, stdout, stderr: stderr.trimEnd() }
}

function aFile(): string {
  const path = join(temporaryFolder('cli'), 'file')
  writeFileSync(path, '')
  return path
}

describe('what cannot be done is one sentence on standard error and exit code 1', () => {
  const controller = ['demo-controller', '--field', 'http://127.0.0.1:8700', '--token', 'secret-token', '--photos']
  test.each([
    ['serve on a file', () => ['serve', '--data-dir', aFile()], /cannot be used: it is a file/],
    ['a token of no base', () => ['token', 'list', '--json', '--data-dir', join(aFile(), 'x')], /There is no base in/],
    ['photos that are nowhere', () => [...controller, '/nope'], /^The folder \/nope cannot be read: there is no such/],
    ['photos in a file', () => [...controller, aFile()], /it is a file, not a folder/],
    ['a folder without photos', () => [...controller, temporaryFolder('cli')], /^There is no JPEG, DNG, MP4 or MOV/]
  ])('%s', (_what, args, sentence) => {
    const { status, stdout, stderr } = flightcase(args())
    expect(stderr).toMatch(sentence)
    expect(stderr.split('\n')).toHaveLength(1)
    expect([status, stdout]).toEqual([1, ''])
  })
})

test('what Doctor finds goes to standard output, and a problem is exit code 1', () => {
  const { status, stdout, stderr } = flightcase(['doctor', '--data-dir', join(aFile(), 'nowhere')])
  expect([status, stderr]).toEqual([1, ''])
  expect(stdout).toContain('There is no base in')
})

test('the log level debug adds where it came from', () => {
  const args = ['serve', '--data-dir', aFile()]
  const traces = [flightcase(args, { FLIGHTCASE_LOG_LEVEL: 'debug' }), flightcase([...args, '--log-level', 'debug'])]
  for (const { status, stderr } of traces) {
    expect(status).toBe(1)
    expect(stderr).toMatch(/ {4}at /)
  }
})

test.each([
  ['an option that is missing', ['demo-controller']],
  ['an option that does not exist', ['token', 'list', '--nope']],
  ['an option that Doctor does not have', ['doctor', '--nope']],
  ['a value that does not exist', ['token', 'create', '--name', 'x', '--role', 'boss']]
])('wrong usage is exit code 2: %s', (_what, args) => {
  const { status, stderr } = flightcase(args)
  expect(status).toBe(2)
  expect(stderr).toMatch(/^error: .*$/)
})

test('help says what is required and what holds when nothing is said', () => {
  const help = (...args: string[]) => {
    const { status, stdout } = flightcase([...args, '--help'])
    expect(status).toBe(0)
    return stdout.replaceAll(/\s+/g, ' ')
  }
  const serve = help('serve')
  for (const address of ['0.0.0.0:8700', '127.0.0.1:8701', '0.0.0.0:9000', '0.0.0.0:1883'])
    expect(serve).toContain(`(default: ${address})`)
  expect(help('demo-controller').match(/\(required\)/g)).toHaveLength(3)
  expect(help('doctor')).toContain('1 problems, 2 wrong usage')
  expect(help('token', 'create')).toContain('what the token is for (required)')
})

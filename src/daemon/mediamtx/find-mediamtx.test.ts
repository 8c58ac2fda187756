import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/test-database.ts'
import { findMediaMtx, judgeVersion } from './find-mediamtx.ts'
import { downloadUrl, TESTED_VERSION } from './get-mediamtx.ts'

// A script is no program there.
const it = test.skipIf(process.platform === 'win32')

function program(path: string, version: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\necho ${version}\n`, { mode: 0o755 })
  return path
}

it('the configured program goes before the one of the app, that before PATH', async () => {
  const folder = temporaryFolder('find')
  const configured = program(join(folder, 'own', 'mtx'), 'v1.20.3')
  const bundled = program(join(folder, 'app', 'mediamtx', 'mediamtx'), 'v1.20.1')
  const installed = program(join(folder, 'bin', 'mediamtx'), 'v1.20.2')
  const all = { configured, resourcesDir: join(folder, 'app'), pathVariable: ['', dirname(installed)].join(delimiter) }
  expect(await findMediaMtx(all)).toEqual({ program: { path: configured, version: 'v1.20.3', warnings: [] } })
  expect(await findMediaMtx({ ...all, configured: null })).toMatchObject({ program: { path: bundled } })
  expect(await findMediaMtx({ ...all, configured: null, resourcesDir: null })).toMatchObject({
    program: { path: installed, version: 'v1.20.2' }
  })
  const none = await findMediaMtx({ configured: null, resourcesDir: folder, pathVariable: '' })
  expect(none).toMatchObject({ problem: { code: 'mediamtx_missing', remedy: expect.stringContaining('github.com') } })
})

it('a wrong setting is told, not papered over', async () => {
  const folder = temporaryFolder('find')
  const bundled = program(join(folder, 'mediamtx', 'mediamtx'), 'v1.20.1')
  const text = join(folder, 'text')
  writeFileSync(text, 'not a program')
  for (const configured of [text, join(folder, 'nowhere'), folder])
    expect(await findMediaMtx({ configured, resourcesDir: folder })).toMatchObject({
      problem: { code: 'mediamtx_missing', message: expect.stringContaining(configured) }
    })
  chmodSync(text, 0o755)
  expect(await findMediaMtx({ configured: text, resourcesDir: folder })).toMatchObject({
    problem: { code: 'mediamtx_unusable', message: expect.stringContaining(text) }
  })
  program(bundled, 'v1.17.9')
  expect(await findMediaMtx({ configured: null, resourcesDir: folder })).toMatchObject({
    problem: { code: 'mediamtx_too_old', message: expect.stringContaining('v1.17.9') }
  })
})

it('the packed app has the program where it is looked for, with its licence', async () => {
  const root = join(import.meta.dirname, '../../..')
  const packing = readFileSync(join(root, 'electron-builder.yml'), 'utf8')
  const rule = /^extraResources:\n {2}- from: (\S+)\n {4}to: (\S+)\n {4}filter: \[(.+)\]$/m.exec(packing)
  const [, from, to, filter] = rule!
  expect(filter!.split(', ')).toEqual(['mediamtx', 'mediamtx.exe', 'LICENSE'])
  expect(readFileSync(join(root, '.gitignore'), 'utf8').split('\n')).toContain(`/${from!.split('/')[0]}/`)
  expect(readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')).toContain(from!.slice(0, from!.indexOf('$')))
  const resourcesDir = temporaryFolder('resources')
  const path = program(join(resourcesDir, to!, 'mediamtx'), TESTED_VERSION)
  expect(await findMediaMtx({ configured: null, resourcesDir, pathVariable: '' })).toEqual({
    program: { path, version: TESTED_VERSION, warnings: [] }
  })
})

test('the version to get is the tested one, for each machine that there is a file for', () => {
  expect(judgeVersion(TESTED_VERSION)).toEqual({ problem: null, warnings: [] })
  expect(downloadUrl('win32', 'x64')).toMatch(/\/mediamtx_v1\.20\.1_windows_amd64\.zip$/)
  expect(downloadUrl('darwin', 'arm64')).toMatch(/\/mediamtx_v1\.20\.1_darwin_arm64\.tar\.gz$/)
  expect(downloadUrl('linux', 's390x')).toMatch(/\/releases\/tag\/v1\.20\.1$/)
})

test.each([
  ['v1.17.1', 'mediamtx_too_old', 0],
  ['v0.23.8', 'mediamtx_too_old', 0],
  ['v1.18.0', null, 1],
  ['v1.20.1', null, 0],
  ['1.20.0', null, 0],
  ['v1.21.1', null, 1],
  ['v2.0.0', null, 1],
  ['v1.100.0', null, 1],
  ['custom-build', null, 1]
])('version %s: %s, %i warnings', (version, code, warnings) => {
  const judged = judgeVersion(version)
  expect(judged.problem?.code ?? null).toBe(code)
  expect(judged.warnings).toHaveLength(warnings)
})

import { execFile } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '../errors.ts'
import type { ServerProblem } from './media-server.ts'

export interface FoundMediaMtx {
  path: string
  /** As it writes it: `v1.20.1`. */
  version: string
  warnings: string[]
}

export interface FindOptions {
  /** The program that the setting names; null: none. */
  configured: string | null
  /** Of the desktop app, which brings the program; null elsewhere. */
  resourcesDir: string | null
  pathVariable?: string | undefined
}

const FILE_NAME = process.platform === 'win32' ? 'mediamtx.exe' : 'mediamtx'
const VERSION_TIMEOUT_MS = 10_000
const GET_IT =
  'Get MediaMTX 1.20 from github.com/bluenviron/mediamtx/releases and put the program on the PATH, or name it with FLIGHTCASE_MEDIAMTX_BIN.'

/**
 * The program to start: the configured one, else the app's, else the first on PATH; or why there is none. A configured one
 * that does not do counts as none, so that a wrong setting shows instead of being papered over.
 */
export async function findMediaMtx(
  options: FindOptions
): Promise<{ program: FoundMediaMtx } | { problem: ServerProblem }> {
  const path = options.configured ?? candidates(options).find(isExecutable)
  if (path === undefined)
    return { problem: { code: 'mediamtx_missing', message: 'MediaMTX is not installed.', remedy: GET_IT } }
  if (!isExecutable(path)) {
    const message = `FLIGHTCASE_MEDIAMTX_BIN names ${path}, which is no program that can be run.`
    return { problem: { code: 'mediamtx_missing', message, remedy: GET_IT } }
  }
  return await judge(path)
}

function candidates({ resourcesDir, pathVariable = process.env['PATH'] ?? '' }: FindOptions): string[] {
  const bundled = resourcesDir === null ? [] : [join(resourcesDir, 'mediamtx', FILE_NAME)]
  const folders = pathVariable.split(delimiter).filter((folder) => folder !== '')
  return [...bundled, ...folders.map((folder) => join(folder, FILE_NAME))]
}

async function judge(path: string): Promise<{ program: FoundMediaMtx } | { problem: ServerProblem }> {
  const said = await versionOf(path).catch((error) => ({ error: messageOf(error) }))
  if (typeof said !== 'string') {
    const message = `${path} does not say which version it is: ${said.error}`
    return { problem: { code: 'mediamtx_unusable', message, remedy: GET_IT } }
  }
  const { problem, warnings } = judgeVersion(said)
  return problem === null ? { program: { path, version: said, warnings } } : { problem }
}

/** The first word of what `--version` prints. */
async function versionOf(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: VERSION_TIMEOUT_MS, windowsHide: true })
  return stdout.trim().split(/\s/)[0] ?? ''
}

/** Whether a version does (1.18 or later), and what to know of it; `version` as MediaMTX writes it, `v1.20.1`. */
export function judgeVersion(version: string): { problem: ServerProblem | null; warnings: string[] } {
  const [, major, minor] = /^v?(\d+)\.(\d+)\.\d+/.exec(version) ?? []
  const number = Number(major) * 1000 + Number(minor)
  // What is not a release does not say which it is.
  if (Number.isNaN(number)) return { problem: null, warnings: [`MediaMTX ${version} is no release; 1.20 is tested.`] }
  if (number >= 1018) {
    const isTested = number === 1020
    return { problem: null, warnings: isTested ? [] : [`MediaMTX ${version} is not the version that is tested, 1.20.`] }
  }
  const message = `MediaMTX ${version} is too old: it takes 1.18 or later.`
  return { problem: { code: 'mediamtx_too_old', message, remedy: GET_IT }, warnings: [] }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

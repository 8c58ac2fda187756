import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { scarceBytes } from '../../../shared/api/system.ts'
import { isoFromMs } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import { freeBytesOfDisk } from '../../files.ts'
import { quote } from '../system/token-command.ts'
import type { Finding } from './run-checks.ts'

/** Below this the next file does not fit. */
const NEARLY_NOTHING_BYTES = 500_000_000
/** Permission of all other users of the computer. */
const OTHERS = 0o007
/** No clock that is right shows an earlier time. */
const EARLIEST_MS = Date.UTC(2026, 0, 1)
const CLOCK_TOLERANCE_MS = 3_600_000
const PROGRAM_MS = 6000

/** Whether the data folder is there, can be written, and is nobody else's business. */
export async function dataFolder(path: string): Promise<Finding<'data_folder'>> {
  const facts = { path }
  const folder = await stat(path).catch(() => null)
  if (!folder?.isDirectory()) return { code: 'missing', facts, copy: [path] }
  const mayWrite = await access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false
  )
  if (!mayWrite) return { code: 'not_writable', facts, copy: [path] }
  if (process.platform !== 'win32' && (folder.mode & OTHERS) !== 0)
    return { code: 'others_may_look', facts, copy: [`chmod 700 ${quote(path, process.platform)}`] }
  return { code: 'fine', facts }
}

/** How much room there is where `folder` is, or will be. */
export async function roomIn(folder: string): Promise<Finding<'data_room'>> {
  return room(folder, await freeBytesAbove(folder), NEARLY_NOTHING_BYTES)
}

/** What `freeBytes` come to; with less than `neededBytes` the disk of `folder` is full. */
export function room(folder: string, freeBytes: number, neededBytes: number): Finding<'data_room' | 'recordings_room'> {
  const facts = { path: folder, freeBytes }
  if (freeBytes < neededBytes) return { code: 'full', facts, copy: [folder] }
  return { code: freeBytes < scarceBytes ? 'scarce' : 'fine', facts }
}

/** What can still be written where `folder` is, or will be. */
export async function freeBytesAbove(folder: string): Promise<number> {
  try {
    return await freeBytesOfDisk(folder)
  } catch (error) {
    if (dirname(folder) === folder) throw error
    return freeBytesAbove(dirname(folder))
  }
}

/** Whether the time of this computer can be right; `newestMs` is when the last thing happened at this base, by its clock then. */
export function clock(nowMs: number, newestMs: number | null): Finding<'clock'> {
  const facts = { nowAt: isoFromMs(nowMs), zone: Intl.DateTimeFormat().resolvedOptions().timeZone }
  if (nowMs < EARLIEST_MS) return { code: 'too_early', facts }
  if (newestMs !== null && newestMs > nowMs + CLOCK_TOLERANCE_MS)
    return { code: 'went_back', facts: { ...facts, newestAt: isoFromMs(newestMs) } }
  return { code: 'fine', facts }
}

/** Whether ffmpeg runs; `path` is where it was found. */
export async function ffmpeg(path: string | null): Promise<Finding<'ffmpeg'>> {
  if (path === null) return { code: 'missing', copy: ['FLIGHTCASE_FFMPEG'] }
  try {
    const { stdout } = await promisify(execFile)(path, ['-version'], { timeout: PROGRAM_MS, windowsHide: true })
    const version = /version (\S+)/.exec(stdout)?.[1] ?? '?'
    return { code: 'fine', facts: { path, version } }
  } catch (error) {
    return { code: 'broken', facts: { path, reported: messageOf(error) }, copy: [path] }
  }
}

/** Whether pictures can be made smaller: makes one. */
export async function thumbnails(): Promise<Finding<'thumbnails'>> {
  try {
    const picture = sharp({ create: { width: 2, height: 2, channels: 3, background: 'black' } })
    await picture.resize(1, 1).jpeg().toBuffer()
    return { code: 'fine', facts: { version: sharp.versions.sharp ?? '?' } }
  } catch (error) {
    return { code: 'broken', facts: { reported: messageOf(error) } }
  }
}

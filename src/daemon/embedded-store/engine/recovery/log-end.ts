import { type FileHandle, open } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { RecoveryFolder } from './recovery-folder.ts'
import { beginOf, recordOf } from './recovery-record.ts'

/** Some hundred lines. More is looked at when there is no whole commit in them. */
const WINDOW_BYTES = 64 * 1024
const LINE_FEED = 0x0a

export type LogEnd = {
  /** Null where the first line cannot be read. */
  storeId: string | null
  /** What its first line says of the logs before it. */
  hasGap: boolean
  /** The last commit that it tells of; 0 for one that an older program has written. */
  commit: number
  /** Where its last readable line ends: what a power cut leaves behind that is torn, or zeros. */
  bytes: number
}

/** The newest log of which something can be read. */
export type NewestLog = { number: number; end: LogEnd }

/**
 * Finds the newest log. `isCertain`: there is no newer one of which nothing can be read, so that nobody knows what it told. A log of
 * another store counts as none.
 */
export async function findNewestLog(
  folder: RecoveryFolder,
  { storeId, log }: { storeId: string; log: Logger }
): Promise<{ newest: NewestLog | null; isCertain: boolean }> {
  let isCertain = true
  for (const number of folder.list().logs.toReversed()) {
    const path = folder.log(number)
    try {
      const end = await endOf(path)
      if (end === 'nothing was written') continue
      if (end !== 'unreadable') {
        const isOwn = end.storeId === null || end.storeId === storeId
        return { newest: isOwn ? { number, end } : null, isCertain }
      }
      log.error({ path }, 'nothing can be read of a recovery log of the object store')
    } catch (error) {
      log.error({ err: error, path }, 'a recovery log of the object store cannot be read')
    }
    isCertain = false
  }
  return { newest: null, isCertain }
}

async function endOf(path: string): Promise<LogEnd | 'nothing was written' | 'unreadable'> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size === 0) return 'nothing was written'
    const end = await lastLines(file, size)
    if (end === null) return 'unreadable'
    const begin = await beginOf(path)
    return { storeId: begin?.storeId ?? null, hasGap: begin?.hasGap ?? false, ...end }
  } finally {
    await file.close()
  }
}

async function lastLines(file: FileHandle, size: number): Promise<Pick<LogEnd, 'commit' | 'bytes'> | null> {
  for (let window = WINDOW_BYTES; ; window *= 8) {
    const start = Math.max(0, size - window)
    const bytes = Buffer.alloc(size - start)
    await readFully(file, bytes, start)
    let end: number | null = null
    for (const line of linesFromEnd(bytes)) {
      // The first one may be the rest of a line.
      if (line.start === 0 && start > 0) break
      const record = recordOf(bytes.toString('utf8', line.start, line.end))
      if (record === null) continue
      end ??= start + line.end + 1
      if (record.what === 'commit') return { commit: record.last, bytes: end }
      if (record.what === 'begin') return { commit: record.commit, bytes: end }
    }
    if (start === 0) return end === null ? null : { commit: 0, bytes: end }
  }
}

async function readFully(file: FileHandle, bytes: Buffer, start: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done)
    if (bytesRead === 0) throw new Error('The log became shorter while it was read.')
    done += bytesRead
  }
}

/** The lines that are ended, the last one first. `end` is where the line feed is. */
function* linesFromEnd(bytes: Buffer): Generator<{ start: number; end: number }> {
  for (let end = bytes.lastIndexOf(LINE_FEED); end >= 0; ) {
    const before = end === 0 ? -1 : bytes.lastIndexOf(LINE_FEED, end - 1)
    yield { start: before + 1, end }
    end = before
  }
}

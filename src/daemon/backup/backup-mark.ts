import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { StartupError } from '../errors.ts'
import { isMissingFile, replaceFile } from '../files.ts'

const FILE = 'backup.json'
const markSchema = z.object({
  /** Of the embedded store; null: the base keeps its media elsewhere. */
  storeId: z.string().nullable(),
  /** When it was whole last; null: never yet. */
  finishedAt: z.string().nullable(),
  withMedia: z.boolean()
})

/** What says of a folder that it is a backup, and of what. */
export type BackupMark = z.infer<typeof markSchema>

/** Raises `StartupError('is_a_backup')`: a base that ran in its own backup would be overwritten by the next one. */
export function assertNoBackup(dataDir: string): void {
  if (!existsSync(join(dataDir, FILE))) return
  throw new StartupError(
    'is_a_backup',
    `The folder ${dataDir} is a backup. Copy it to where the base is to be, remove ${FILE} from the copy, and start with that.`
  )
}

/**
 * Whether backups of this store may be put there: into an empty folder, or over an earlier backup of the same. Raises
 * `StartupError('not_a_backup')`.
 */
export function readMarkFor(folder: string, storeId: string | null): BackupMark | null {
  const mark = readMark(folder)
  if (mark === null && isEmpty(folder)) return null
  if (mark?.storeId === storeId) return mark
  const reason = mark === null ? 'It holds something else.' : 'It holds the backup of another base.'
  throw new StartupError('not_a_backup', `Nothing was written to ${folder}. ${reason} Name an empty folder.`)
}

export function writeMark(folder: string, mark: BackupMark): Promise<void> {
  return replaceFile(join(folder, FILE), `${JSON.stringify(mark)}\n`)
}

function readMark(folder: string): BackupMark | null {
  try {
    return markSchema.parse(JSON.parse(readFileSync(join(folder, FILE), 'utf8')))
  } catch (error) {
    if (isMissingFile(error)) return null
    throw error
  }
}

/** Our own lock of the folder, and what systems put onto every disk. */
const NOTHING = /^(flightcase\.lock|\.|lost\+found$|System Volume Information$|\$RECYCLE)/

function isEmpty(folder: string): boolean {
  return readdirSync(folder).every((name) => NOTHING.test(name))
}

import { messageOf, StartupError } from '../errors.ts'

const ELSEWHERE = 'Name another folder with --data-dir or FLIGHTCASE_DATA_DIR.'
const A_FILE = `it is a file, or lies below one. ${ELSEWHERE}`
const NOT_WRITABLE = `this user may not write there. Give this user the right, or name another folder with --data-dir or FLIGHTCASE_DATA_DIR.`
const DAMAGED = 'a database in it is damaged, or is none.'

/** Codes of the operating system and of SQLite (the part before its second underscore). */
const REASONS: Record<string, string> = {
  EEXIST: A_FILE,
  ENOTDIR: A_FILE,
  ENOENT: `no folder can be made there. ${ELSEWHERE}`,
  EACCES: NOT_WRITABLE,
  EPERM: NOT_WRITABLE,
  SQLITE_READONLY: NOT_WRITABLE,
  EROFS: `it is on a disk that is read only. ${ELSEWHERE}`,
  ENOSPC: 'the disk is full.',
  SQLITE_FULL: 'the disk is full.',
  SQLITE_CANTOPEN: 'a database in it cannot be opened; see that its files belong to this user.',
  SQLITE_BUSY: 'another program keeps its catalogue open and locked.',
  SQLITE_NOTADB: DAMAGED,
  SQLITE_CORRUPT: DAMAGED
}

/**
 * What to throw for an error met while opening the data folder: `StartupError('data_dir_unusable')` with the reason in words
 * for one of the operating system or of SQLite; any other error as it is.
 */
export function dataDirProblem(dataDir: string, error: unknown): unknown {
  const code = codeOf(error)
  if (code === undefined) return error
  const reason = REASONS[code] ?? `${messageOf(error)}.`
  return new StartupError('data_dir_unusable', `The data folder ${dataDir} cannot be used: ${reason}`, { cause: error })
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return /^E[A-Z0-9]+$/.exec(error.code)?.[0] ?? /^SQLITE_[A-Z]+/.exec(error.code)?.[0]
}

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isMissingFile } from '../../../files.ts'

const DRAFT = '.new'
const FILE = /^(\d{6,12})\.(log|bak)$/

/**
 * The names in `recovery/` of a store: `<n>.bak` is a copy of the index with everything that happened before `<n>.log` was begun.
 * The newest copy and the logs from its number on are what a lost index is made from again.
 */
export class RecoveryFolder {
  readonly path: string

  constructor(storeDirectory: string) {
    this.path = join(storeDirectory, 'recovery')
  }

  log(number: number): string {
    return join(this.path, `${nameOf(number)}.log`)
  }

  backup(number: number): string {
    return join(this.path, `${nameOf(number)}.bak`)
  }

  /** Where a copy is while it is made. */
  draft(number: number): string {
    return `${this.backup(number)}${DRAFT}`
  }

  /** Copies that were not finished, with what SQLite left beside them. */
  drafts(): string[] {
    return this.#names()
      .filter((name) => name.includes(DRAFT))
      .map((name) => join(this.path, name))
  }

  /** The numbers there are, ascending. */
  list(): { logs: number[]; backups: number[] } {
    const found: { logs: number[]; backups: number[] } = { logs: [], backups: [] }
    for (const name of this.#names()) {
      const [, number, kind] = FILE.exec(name) ?? []
      if (number) found[kind === 'log' ? 'logs' : 'backups'].push(Number(number))
    }
    found.logs.sort((a, b) => a - b)
    found.backups.sort((a, b) => a - b)
    return found
  }

  #names(): string[] {
    try {
      return readdirSync(this.path)
    } catch (error) {
      if (isMissingFile(error)) return []
      throw error
    }
  }
}

function nameOf(number: number): string {
  return String(number).padStart(6, '0')
}

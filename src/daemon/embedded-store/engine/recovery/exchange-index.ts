import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder } from '../../../files.ts'

/** What SQLite keeps beside a database and would apply to whichever it finds there. */
const BESIDE = ['-wal', '-shm']

/**
 * Puts a draft (one file, flushed) in place of the index and gives where that is now; null: there was none. Wherever a power cut ends it there
 * is the old index with all that belongs to it, the new one with nothing of the old, or none, which stops the start.
 */
export async function exchangeIndex(index: string, draft: string): Promise<string | null> {
  const aside = asideOf(index)
  const hadIndex = existsSync(index)
  // Each step is durable before the next one.
  for (const group of [[''], BESIDE]) {
    const there = group.filter((suffix) => existsSync(index + suffix))
    for (const suffix of there) await rename(index + suffix, aside + suffix)
    if (there.length > 0) await syncFolder(dirname(index))
  }
  await rename(draft, index)
  await syncFolder(dirname(index))
  return hadIndex ? aside : null
}

/** A name that nothing has which was set aside before. */
function asideOf(index: string): string {
  const base = `${index}.before-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}`
  for (let n = 1; ; n++) {
    const path = n === 1 ? base : `${base}-${n}`
    if (!['', ...BESIDE].some((suffix) => existsSync(path + suffix))) return path
  }
}

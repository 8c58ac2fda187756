import { mkdir, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { syncFolder } from '../../../files.ts'
import { openIndexDatabase } from '../index-database.ts'
import type { NamelessFile } from './files-and-rows.ts'

/**
 * Moves payload files that no row names to `nameless/` in the store, where they stay, and lets the index take what it does not know for
 * leftovers again: somebody has decided that they are not missed. Gives where they are now. The store must not be in use.
 */
export async function setNamelessAside(directory: string, nameless: readonly NamelessFile[]): Promise<NamelessFile[]> {
  const folder = join(directory, 'nameless')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const moved: NamelessFile[] = []
  for (const file of nameless) {
    const path = join(folder, basename(file.path))
    await rename(file.path, path)
    moved.push({ ...file, path })
  }
  await syncFolder(folder)
  const db = openIndexDatabase(join(directory, 'index.db'))
  try {
    db.prepare('UPDATE store_use SET doubted = 0').run()
  } finally {
    db.close()
  }
  return moved
}

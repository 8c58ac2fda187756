import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { EngineHarness } from '../engine-harness.ts'
import { rebuildIndex } from './rebuild-index.ts'

let store: EngineHarness
beforeEach(async () => {
  store = await EngineHarness.open()
})
afterEach(() => store.dispose())

/** Leaves the last line of the log, and the number of its commit, unwritten, as a kill right after the commit does. */
async function loseLastLine(): Promise<void> {
  const folder = join(store.directory, 'recovery')
  const [name = ''] = (await readdir(folder)).filter((each) => each.endsWith('.log')).toSorted()
  const lines = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n')
  await writeFile(join(folder, name), `${lines.slice(0, -2).join('\n')}\n`)
}

it.each(['put', 'deleted'] as const)(
  'what was %s right before a kill is in the log after the next start',
  async (how) => {
    await store.put('k', 'old')
    if (how === 'put') await store.put('k', 'new')
    else await store.engine.deleteObject('media', 'k')
    await store.engine.close()
    await loseLastLine()
    await store.reopen()
    await store.engine.close()
    for (const suffix of ['', '-wal', '-shm']) await rm(join(store.directory, `index.db${suffix}`), { force: true })
    await rebuildIndex(store.directory)
    await store.reopen()
    expect(await store.listAll()).toEqual(how === 'put' ? ['k'] : [])
    if (how === 'put') expect(String(await store.get('k'))).toBe('new')
  }
)

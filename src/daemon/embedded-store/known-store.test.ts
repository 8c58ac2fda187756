import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startTestDaemon } from '../testing/test-daemon.ts'

test('a base whose store is not there does not begin a new one, unless it is told that the old one is lost', async () => {
  const base = await startTestDaemon()
  await base.daemon.stop()
  const { dataDir } = base
  const store = join(dataDir, 'store')
  await rename(store, `${store}-away`)
  // As a disk that is not mounted.
  await mkdir(store)
  await expect(startTestDaemon({ dataDir })).rejects.toMatchObject({ code: 'store_not_there' })
  expect(await readdir(store)).toEqual([])
  await rm(store, { recursive: true })
  await rename(`${store}-away`, store)
  await (await startTestDaemon({ dataDir })).daemon.stop()

  await rm(store, { recursive: true })
  await rm(join(dataDir, 'store-id'))
  await (await startTestDaemon({ dataDir })).daemon.stop()
  expect(existsSync(join(store, 'index.db'))).toBe(true)
})

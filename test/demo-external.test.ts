import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { openDistantStore } from '../src/daemon/testing/distant-store.ts'

test.each(['external', 'gateway'])(
  'the demo day is the same with a store of somebody else, where it leaves nothing: %s',
  async (mode) => {
    const { store, env } = await openDistantStore()
    const script = join(import.meta.dirname, '..', 'scripts', 'demo.ts')
    const args = ['--once', '--json', '--count', '2', '--store', mode]
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], {
      env: { ...process.env, ...env },
      // Sooner than this test gives up, so that the demo still stops what it started.
      timeout: 150_000
    })
    expect(JSON.parse(stdout)).toMatchObject({
      files: 9,
      uploaded: 5,
      skipped: 3,
      assets: 5,
      blobs: 5,
      videos: 2,
      failures: 1,
      store: { mode, sentAgain: 3, originals: 5 }
    })
    expect((await store.engine.listObjects({ bucket: 'media', limit: 10 })).entries).toEqual([])
  },
  180_000
)

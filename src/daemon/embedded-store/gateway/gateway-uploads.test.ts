import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readlink } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { GatewayHarness, theirs } from './gateway-harness.ts'

const MIB = 1024 ** 2

const open = async () => {
  const harness = await GatewayHarness.open()
  onTestFinished(() => harness.dispose())
  const store = harness.store()
  onTestFinished(() => store.close())
  return { harness, store }
}

describe.skipIf(theirs)('uploads over the gateway', () => {
  it.skipIf(!existsSync('/proc/self/fd'))('holds no file open once it could not be handed on', async () => {
    const { harness, store } = await open()
    const held = async () => {
      const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
      return (await Promise.all(links)).filter((path) => path.startsWith(`${harness.directory}/blobs`))
    }
    harness.middleman.meddle = ({ method }) => (method === 'PUT' ? { status: 503, code: 'SlowDown' } : undefined)
    for (const key of ['a', 'b', 'c']) await expect(store.put(key, randomBytes(3 * MIB))).rejects.toThrow()
    expect(await held()).toEqual([])
    harness.gate.cut()
    await expect(store.put('d', randomBytes(3 * MIB))).rejects.toThrow()
    expect(await held()).toEqual([])
  })
})

import { writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { newId } from '../../ids.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { BlobFiles } from './blob-files.ts'

const opened = vi.hoisted(() => ({ paths: [] as string[], intercept: async (_path: string): Promise<void> => {} }))
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  return {
    ...real,
    open: async (...[path, ...rest]: Parameters<typeof real.open>) => {
      opened.paths.push(String(path))
      await opened.intercept(String(path))
      return real.open(path, ...rest)
    }
  }
})

let files: BlobFiles
let start: () => Promise<void>
let publish: (blobId: string) => Promise<void>
beforeEach(async () => {
  const folder = temporaryFolder('blobs')
  start = async () => {
    files = new BlobFiles(folder)
    await files.prepare()
  }
  await start()
  publish = async (blobId) => {
    const staged = join(folder, 'staging', `${blobId}.tmp`)
    writeFileSync(staged, 'bytes')
    await files.publish(staged, blobId)
  }
  opened.intercept = async () => {}
  opened.paths = []
})

/** Blobs that share their directory. */
function neighbours(count: number): string[] {
  const byDirectory = new Map<string, string[]>()
  for (;;) {
    const id = newId()
    const directory = dirname(files.path(id))
    const found = [...(byDirectory.get(directory) ?? []), id]
    if (found.length === count) return found
    byDirectory.set(directory, found)
  }
}

function ancestors(blobId: string): string[] {
  const inner = dirname(files.path(blobId))
  return [inner, dirname(inner), dirname(dirname(inner))]
}

test('a new directory is made durable with its first file, and once only', async () => {
  const [first, second] = neighbours(2) as [string, string]
  await publish(first)
  expect(opened.paths.sort()).toEqual(ancestors(first).sort())
  opened.paths = []
  await publish(second)
  expect(opened.paths).toEqual([dirname(files.path(second))])
})

test('a file is not told durable before the directory that another is just making', async () => {
  const [first, second] = neighbours(2) as [string, string]
  const [, outer, root] = ancestors(first)
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  opened.intercept = (path) => (path === outer || path === root ? held : Promise.resolve())
  const one = publish(first)
  let isTold = false
  const two = publish(second).then(() => {
    isTold = true
  })
  await vi.waitFor(() => expect(opened.paths.filter((path) => path === outer)).toHaveLength(2))
  expect(isTold).toBe(false)
  release()
  await Promise.all([one, two])
})

test('a directory that could not be made durable is tried again', async () => {
  const [first, second] = neighbours(2) as [string, string]
  const [, outer] = ancestors(first)
  opened.intercept = async (path) => {
    if (path === outer) throw new Error('the disk hiccups')
  }
  await expect(publish(first)).rejects.toThrow('hiccups')
  opened.intercept = async () => {}
  opened.paths = []
  await publish(second)
  expect(opened.paths.sort()).toEqual(ancestors(second).sort())
})

test('a directory that was removed and made again is made durable again', async () => {
  const [first, second] = neighbours(2) as [string, string]
  await publish(first)
  await rm(ancestors(first)[1]!, { recursive: true })
  opened.paths = []
  await publish(second)
  expect(opened.paths.sort()).toEqual(ancestors(second).sort())
})

test('a directory that another process made, and may not have made durable, is made so with the first file after it', async () => {
  const [first, second, third] = neighbours(3) as [string, string, string]
  await publish(first)
  await start()
  opened.paths = []
  await publish(second)
  expect(opened.paths.sort()).toEqual(ancestors(second).sort())
  opened.paths = []
  await publish(third)
  expect(opened.paths).toEqual([dirname(files.path(third))])
})

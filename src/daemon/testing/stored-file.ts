import type { OpenStorageEngine } from '../embedded-store/engine/create-storage-engine.ts'

/** Puts a text into the bucket `media`; gives the file that holds it. */
export async function storedFile(engine: OpenStorageEngine, key: string, text: string): Promise<string> {
  const body = await engine.openBody({ sizeBytes: text.length })
  await body.write(Buffer.from(text))
  await body.finish()
  await engine.putObject({ bucket: 'media', key, body })
  const { path, release } = await engine.localFile('media', key)
  release()
  return path
}

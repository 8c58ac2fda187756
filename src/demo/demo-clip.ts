import { createHash } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * The H.264 clip that ships with the application (640×360, 4 s), made distinct by `label`: a `free` box (ISO/IEC
 * 14496-12 §8.1.2), which players skip, carries its digest at the end.
 */
export async function demoClip(label: string): Promise<Buffer> {
  const digest = createHash('sha256').update(label).digest()
  const box = Buffer.alloc(8)
  box.writeUInt32BE(8 + digest.length)
  box.write('free', 4, 'latin1')
  return Buffer.concat([await readFile(await demoClipPath()), box, digest])
}

/** Where the clip is: beside the sources as well as beside the built bundle, whose depth differs. */
async function demoClipPath(): Promise<string> {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, 'resources', 'demo', 'clip.mp4')
    if (
      await access(candidate).then(
        () => true,
        () => false
      )
    )
      return candidate
    if (folder === dirname(folder)) throw new Error('resources/demo/clip.mp4 is missing from this installation')
  }
}

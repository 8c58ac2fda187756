import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findFfmpeg } from './find-ffmpeg.ts'

it.skipIf(process.platform === 'win32')(
  'goes by the setting, then by PATH, and never takes what cannot be run',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ffmpeg-'))
    try {
      const program = join(folder, 'ffmpeg')
      await writeFile(program, '#!/bin/sh\n', { mode: 0o644 })
      expect(findFfmpeg({ configured: program, pathVariable: '' })).toBeNull()
      await chmod(program, 0o755)
      expect(findFfmpeg({ configured: program, pathVariable: '' })).toBe(program)
      expect(findFfmpeg({ configured: join(folder, 'missing') })).toBeNull()
      // Where ffmpeg-static has fetched its program, that one comes before PATH.
      expect([program, findFfmpeg({ pathVariable: '' })]).toContain(findFfmpeg({ pathVariable: `:${folder}` }))
    } finally {
      await rm(folder, { recursive: true })
    }
  }
)

import { statfs } from 'node:fs/promises'
import { StartupError } from '../../errors.ts'

/** File system types as Linux reports them (statfs(2)). Other systems give no comparable number. */
const UNSUITABLE = new Map([
  [0x6969, 'a network share (NFS)'],
  [0x517b, 'a network share (SMB)'],
  [0xff534d42, 'a network share (CIFS)'],
  [0xfe534d42, 'a network share (SMB)'],
  [0x4d44, 'a FAT volume'],
  [0x2011bab0, 'an exFAT volume']
])

/**
 * Refuses places where a finished write can still be lost or locks do not hold: network shares, FAT and exFAT. Raises
 * `StartupError('store_volume_unsuitable')`.
 */
export async function assertSuitableVolume(directory: string, readType = fileSystemType): Promise<void> {
  const found = process.platform === 'linux' ? UNSUITABLE.get(await readType(directory)) : undefined
  if (found)
    throw new StartupError(
      'store_volume_unsuitable',
      `${directory} is on ${found}, which cannot keep media safely. Choose a folder on a local disk.`
    )
}

async function fileSystemType(directory: string): Promise<number> {
  // Some kernels give the number as a signed one.
  return (await statfs(directory)).type >>> 0
}

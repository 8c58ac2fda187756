import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, open, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const MIB = 1024 ** 2
const SIZE_BYTES = 64 * MIB
const FILLER = 'filler'

export type VolumeKind = 'tmpfs' | 'ext4'

/**
 * The kinds of small volumes that can be mounted here: it takes root, and a system that lets it. What cannot be had is said aloud, so
 * that a green run is not mistaken for a proof.
 */
export function mountableVolumes(): VolumeKind[] {
  const directory = mkdtempSync(join(tmpdir(), 'flightcase-volume-'))
  try {
    return (['tmpfs', 'ext4'] as const).filter((kind) => {
      try {
        const path = join(directory, kind)
        mkdirSync(path)
        mount(kind, path)()
        return true
      } catch (error) {
        console.warn(`SKIPPED: no ${kind} volume can be mounted here, its faults are not tested: ${error}`)
        return false
      }
    })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A real volume of 64 MiB with a file system of its own, of which nobody else writes a byte. */
export class SmallVolume {
  /** Where it is mounted. */
  readonly path: string
  readonly #directory: string
  readonly #kind: VolumeKind
  #unmount: () => void

  private constructor(directory: string, path: string, kind: VolumeKind) {
    this.#directory = directory
    this.path = path
    this.#kind = kind
    this.#unmount = mount(kind, path)
  }

  static async mount(kind: VolumeKind): Promise<SmallVolume> {
    const directory = await mkdtemp(join(tmpdir(), 'flightcase-volume-'))
    const path = join(directory, 'volume')
    await mkdir(path)
    return new SmallVolume(directory, path, kind)
  }

  /** Takes every byte that is free. */
  async fill(): Promise<void> {
    const file = await open(join(this.path, FILLER), 'a')
    try {
      for (let step = 4 * MIB; step >= 1; step /= 16) await writeUntilFull(file, Buffer.alloc(step, 'x'))
    } finally {
      await file.close()
    }
  }

  /** Frees what {@link fill} took. */
  async makeRoom(): Promise<void> {
    // Space that was freed can be had once the journal knows of it.
    await truncate(join(this.path, FILLER))
    await rm(join(this.path, FILLER))
    run('sync', '--file-system', this.path)
  }

  /** Covers the volume with a view of it that refuses writes; open files stay writable. Returns the function that removes it. */
  coverReadOnly(): () => void {
    run('mount', '--bind', this.path, this.path)
    run('mount', '-o', 'remount,ro,bind', this.path)
    return () => run('umount', this.path)
  }

  /** Does what a failing disk does: the file system gives up writing, also to files that are open. ext4 only. */
  failDisk(): void {
    const device = basename(output('findmnt', '-no', 'SOURCE', this.path))
    writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'flightcase-test')
  }

  /** Takes the volume out, repairs it and puts it back. Nothing on it may be open. ext4 only. */
  repair(): void {
    this.#unmount()
    // 1: errors were corrected.
    const { status } = spawnSync('e2fsck', ['-fy', imageOf(this.path)])
    if (status !== 0 && status !== 1) throw new Error(`e2fsck ended with ${status}`)
    this.#unmount = attach(this.#kind, this.path)
  }

  /** Takes the disk away: an empty folder is in its place. Returns the function that brings it back. */
  unplug(): () => void {
    const elsewhere = join(this.#directory, 'elsewhere')
    run('mkdir', '-p', elsewhere)
    run('mount', '--move', this.path, elsewhere)
    return () => run('mount', '--move', elsewhere, this.path)
  }

  async dispose(): Promise<void> {
    this.#unmount()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

/** Makes and mounts a volume; returns the function that ends it. */
function mount(kind: VolumeKind, path: string): () => void {
  if (kind === 'ext4') {
    run('truncate', '--size', String(SIZE_BYTES), imageOf(path))
    // Without blocks that only root may use: tests are root.
    run('mkfs.ext4', '-q', '-m', '0', imageOf(path))
  }
  return attach(kind, path)
}

function attach(kind: VolumeKind, path: string): () => void {
  if (kind === 'tmpfs') run('mount', '-t', 'tmpfs', '-o', `size=${SIZE_BYTES}`, 'flightcase-test', path)
  else run('mount', '-o', 'loop,errors=remount-ro', imageOf(path), path)
  return () => run('umount', path)
}

const imageOf = (path: string) => `${path}.img`

async function writeUntilFull(file: Awaited<ReturnType<typeof open>>, bytes: Buffer): Promise<void> {
  try {
    // Flushed, as a file system may find out only then that a byte has no place.
    for (;;) {
      await file.write(bytes)
      await file.datasync()
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}

function run(program: string, ...args: string[]): void {
  output(program, ...args)
}

function output(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

const recordSchema = z.object({ pid: z.int().positive(), startedAt: z.string() })
const POLL_MS = 50

/**
 * When a process was started, as its system tells it: the same text for as long as that process lives, another one for any
 * other that gets its number. Null when there is none, or the system does not say (Windows).
 */
export function startTimeOf(pid: number): string | null {
  try {
    if (process.platform === 'linux') return linuxStartTime(pid)
    if (process.platform === 'win32') return null
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C' } }).trim() ||
      null
    )
  } catch {
    return null // there is no such process
  }
}

/** proc(5): the state is field 3, and the start in ticks since the boot is field 22; the name before them may have blanks. */
function linuxStartTime(pid: number): string | null {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A process that has ended stays in the table until its parent looks.
  if (fields[0] === 'Z' || fields[0] === 'X') return null
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]}`
}

/** Remembers a child in a file, so that whoever comes after a crash finds that very process and no other. */
export class ProcessRecord {
  readonly #path: string
  constructor(path: string) {
    this.#path = path
  }

  /** Nothing is kept of a process that could not be told from another. */
  write(pid: number): void {
    const startedAt = startTimeOf(pid)
    if (startedAt !== null) writeFileSync(this.#path, JSON.stringify({ pid, startedAt }), { mode: 0o600 })
  }

  remove(): void {
    rmSync(this.#path, { force: true })
  }

  /** Ends the process that is remembered, when it still runs: SIGINT, and SIGKILL when that takes too long. Gives its pid. */
  async endLeftover(graceMs: number): Promise<number | null> {
    const record = this.#read()
    if (!record) return null
    const isAlive = () => startTimeOf(record.pid) === record.startedAt
    const wasAlive = isAlive()
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      if (!isAlive()) break
      sendSignal(record.pid, signal)
      for (const deadline = performance.now() + graceMs; isAlive() && performance.now() < deadline; )
        await sleep(POLL_MS)
    }
    this.remove()
    return wasAlive ? record.pid : null
  }

  #read(): z.output<typeof recordSchema> | null {
    try {
      return recordSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8')))
    } catch {
      return null // none, or one that was cut off when the machine died: then no process of that time lives
    }
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It may have ended meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

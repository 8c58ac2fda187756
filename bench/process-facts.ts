import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** Ticks per second in `/proc/<pid>/stat`; fixed on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/**
 * Processor time a process has used so far, in seconds; NaN where the system does not tell. Unlike elapsed time it hardly
 * depends on what else the machine does.
 */
export function processorSeconds(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name in the second field may hold spaces; user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** The most memory a process ever held, in bytes; NaN where the system does not tell. */
export const peakMemoryBytes = (pid: number): number => memoryBytes(pid, 'VmHWM')

/** The memory a process holds now, in bytes; NaN where the system does not tell. */
export const residentBytes = (pid: number): number => memoryBytes(pid, 'VmRSS')

function memoryBytes(pid: number, name: 'VmHWM' | 'VmRSS'): number {
  if (process.platform !== 'linux') return Number.NaN
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  return Number(found?.[1]) * 1024
}

/**
 * Waits until a process has nothing to do by itself: less than 3 % of a core for three seconds in a row. Throws
 * after `longestMs`. Returns at once where the system does not tell.
 */
export async function untilQuiet(pid: number, longestMs: number): Promise<void> {
  if (Number.isNaN(processorSeconds(pid))) return
  const deadline = performance.now() + longestMs
  for (let quiet = 0, last = processorSeconds(pid); quiet < 3; ) {
    if (performance.now() > deadline) throw new Error(`process ${pid} has not become quiet`)
    await pause(1000)
    const now = processorSeconds(pid)
    quiet = now - last < 0.03 ? quiet + 1 : 0
    last = now
  }
}

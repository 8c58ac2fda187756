import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The pid of the media server whose daemon keeps it in `dir`. Throws where none is noted. */
export async function mediaServerPid(dir: string): Promise<number> {
  return JSON.parse(await readFile(join(dir, 'mediamtx.pid'), 'utf8')).pid
}

/** How many media servers run with a configuration in `dir`. Linux only. */
export async function countMediaServers(dir: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')))
  return commands.filter((command) => command.includes(`${dir}/mediamtx-`)).length
}

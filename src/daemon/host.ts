import { type HostReport, hostCommandSchema } from '../shared/host-messages.ts'
import { loadConfig } from './config/load.ts'
import { createDaemon, type Daemon } from './daemon.ts'
import { messageOf, StartupError } from './errors.ts'

/** Electron's end of the pipe inside a utility process. */
interface ParentPort {
  on(event: 'message', listener: (event: { data: unknown }) => void): void
  postMessage(message: HostReport): void
}

// The daemon inside the desktop app: the parent says start and stop, this says ready, busy or why not.
const { parentPort } = process as typeof process & { parentPort: ParentPort }
let daemon: Daemon | undefined
let starting: Promise<void> | undefined
let onBattery = false

parentPort.on('message', ({ data }) => {
  const command = hostCommandSchema.parse(data)
  if (command.type === 'start') starting = start(command).catch(fail)
  else if (command.type === 'power') onBattery = command.onBattery
  else stop().catch(fail)
})

function fail(error: unknown): void {
  const expected = error instanceof StartupError
  // Standard error is the shell's log file; the message alone would not say where an unknown error came from.
  if (!expected) console.error(error)
  const code = expected ? error.code : 'internal_error'
  parentPort.postMessage({ type: 'failed', code, message: messageOf(error) })
  // The message above must leave before the process does.
  setTimeout(() => process.exit(1), 100)
}

async function start(command: { dataDir: string; env: Record<string, string> }): Promise<void> {
  const config = loadConfig({ flags: { dataDir: command.dataDir }, env: command.env })
  daemon = await createDaemon(config, { isOnBattery: () => onBattery })
  const ready = await daemon.start()
  parentPort.postMessage({ type: 'ready', ready })
  daemon.onBusyChange((busy) => parentPort.postMessage({ type: 'activity', busy }))
}

async function stop(): Promise<void> {
  // A start under way may be migrating: it ends first.
  await starting
  await daemon?.stop()
  process.exit(0)
}

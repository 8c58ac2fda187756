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

parentPort.on('message', ({ data }) => {
  const command = hostCommandSchema.parse(data)
  const work = command.type === 'start' ? start(command) : stop()
  work.catch((error: unknown) => {
    const code = error instanceof StartupError ? error.code : 'internal_error'
    parentPort.postMessage({ type: 'failed', code, message: messageOf(error) })
    // The message above must leave before the process does.
    setTimeout(() => process.exit(1), 100)
  })
})

async function start(command: { dataDir: string; env: Record<string, string> }): Promise<void> {
  daemon = await createDaemon(loadConfig({ flags: { dataDir: command.dataDir }, env: command.env }))
  const ready = await daemon.start()
  parentPort.postMessage({ type: 'ready', ready })
  daemon.onBusyChange((busy) => parentPort.postMessage({ type: 'activity', busy }))
}

async function stop(): Promise<void> {
  await daemon?.stop()
  process.exit(0)
}

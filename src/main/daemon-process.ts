import { EventEmitter, once } from 'node:events'
import type { DaemonStatus } from '../shared/bridge.ts'
import { type HostCommand, hostReportSchema } from '../shared/host-messages.ts'
import type { ReadyInfo } from '../shared/ready.ts'
import {
  initialSupervisorState,
  type SupervisorEvent,
  type SupervisorState,
  statusOf,
  superviseDaemon
} from './daemon-supervisor.ts'

/** The part of Electron's `UtilityProcess` that is used here. */
export interface DaemonChild {
  readonly stdout: NodeJS.ReadableStream | null
  readonly stderr: NodeJS.ReadableStream | null
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  on(event: 'error', listener: (type: string, location: string, report: string) => void): unknown
  postMessage(message: unknown): void
  kill(): boolean
}

export interface DaemonProcessOptions {
  /** Starts a process that runs the daemon's host. */
  fork: () => DaemonChild
  start: Extract<HostCommand, { type: 'start' }>
  /** Takes what the daemon prints. */
  log: (chunk: Buffer | string) => void
}

/** Keeps one daemon process alive, as `superviseDaemon` decides, and tells every change by `status`. */
export class DaemonProcess extends EventEmitter<{ status: [DaemonStatus] }> {
  readonly #options: DaemonProcessOptions
  #state: SupervisorState = initialSupervisorState
  #child: DaemonChild | null = null
  #wakeTimer: NodeJS.Timeout | undefined
  #onBattery = false

  constructor(options: DaemonProcessOptions) {
    super()
    this.#options = options
  }

  get status(): DaemonStatus {
    return statusOf(this.#state)
  }

  /** The daemon's addresses and token; null while it does not run. */
  get ready(): ReadyInfo | null {
    return this.#state.name === 'running' ? this.#state.ready : null
  }

  start(): void {
    this.#dispatch({ type: 'start' })
  }

  /** Ends a pause or a slow start and starts anew. */
  retry(): void {
    this.#dispatch({ type: 'retry' })
  }

  /** Tells the daemon, also one that is started later, what the computer runs on. */
  tellPower(onBattery: boolean): void {
    this.#onBattery = onBattery
    this.#child?.postMessage({ type: 'power', onBattery } satisfies HostCommand)
  }

  /** Asks the daemon to finish and resolves when its process is gone; after the time limit it is killed. */
  async stop(): Promise<void> {
    this.#dispatch({ type: 'quit' })
    while (this.#state.name !== 'stopped') await once(this, 'status')
  }

  #dispatch(event: SupervisorEvent): void {
    const step = superviseDaemon(this.#state, event, Date.now())
    const changed = step.state !== this.#state
    this.#state = step.state
    if (step.wakeInMs !== undefined) this.#wakeIn(step.wakeInMs)
    for (const action of step.actions) {
      if (action === 'fork') this.#fork()
      if (action === 'ask-to-stop') this.#child?.postMessage({ type: 'stop' } satisfies HostCommand)
      if (action === 'kill') this.#child?.kill()
    }
    if (changed) this.emit('status', this.status)
  }

  #wakeIn(delayMs: number | null): void {
    clearTimeout(this.#wakeTimer)
    if (delayMs !== null) this.#wakeTimer = setTimeout(() => this.#dispatch({ type: 'wake' }), delayMs)
  }

  #fork(): void {
    const child = this.#options.fork()
    this.#child = child
    child.stdout?.on('data', this.#options.log)
    child.stderr?.on('data', this.#options.log)
    child.on('message', (message) => this.#dispatch(hostReportSchema.parse(message)))
    child.on('error', (type, location, report) => this.#options.log(`${type} at ${location}\n${report}\n`))
    child.on('exit', (code) => {
      this.#child = null
      this.#dispatch({ type: 'exited', code })
    })
    child.postMessage(this.#options.start)
    if (this.#onBattery) this.tellPower(true)
  }
}

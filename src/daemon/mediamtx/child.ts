import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import type { ChildLog } from './child-log.ts'

export interface ChildOptions {
  programPath: string
  configPath: string
  /** The working directory. */
  dir: string
  log: ChildLog
  /** Called with its pid, before anything else can happen; when it throws, the child is ended, and the constructor throws the same. */
  onSpawned: (pid: number) => void
}

/** What a MediaMTX needs of our environment. Its own variables (`MTX_…`) would override the configuration. */
const KEPT_VARIABLES = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'SSL_CERT_FILE', 'SSL_CERT_DIR']
const SETPRIV = 'setpriv'
const TIED = ['--pdeathsig', 'INT', '--']

/** A MediaMTX that runs. */
export class Child {
  /** Why it ended, in words; resolves when it has. Any end is a failure but that of `stop`. */
  readonly ended: Promise<string>
  /** Aborts when it has ended. */
  readonly signal: AbortSignal
  readonly #process: ChildProcess

  constructor(options: ChildOptions) {
    const [command, ...args] = commandFor(options.programPath, options.configPath)
    this.#process = spawn(command, args, {
      cwd: options.dir,
      env: { ...keptEnvironment(), TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true
    })
    const { promise, resolve } = Promise.withResolvers<string>()
    this.#process.once('error', (error) => resolve(error.message))
    // Not `exit`: its last words come before this.
    this.#process.once('close', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal))
    const over = new AbortController()
    this.signal = over.signal
    this.ended = promise.finally(() => over.abort())
    options.log.attach(this.#process.stdout!, 'INF')
    // MediaMTX itself writes there only when it breaks.
    options.log.attach(this.#process.stderr!, 'ERR')
    try {
      if (this.#process.pid !== undefined) options.onSpawned(this.#process.pid)
    } catch (error) {
      this.#process.kill('SIGKILL')
      throw error
    }
  }

  /** Ends it: gracefully, and by force after `graceMs`; on Windows there is only force. Resolves when it has ended. */
  async stop(graceMs: number): Promise<void> {
    if (!this.signal.aborted) this.#process.kill('SIGINT')
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), graceMs)
    await this.ended
    clearTimeout(timer)
  }
}

function keptEnvironment(): Record<string, string> {
  return Object.fromEntries(
    KEPT_VARIABLES.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  )
}

function commandFor(programPath: string, configPath: string): [string, ...string[]] {
  return canTieToParent() ? [SETPRIV, ...TIED, programPath, configPath] : [programPath, configPath]
}

let canTie: boolean | undefined

/** Whether the kernel ends the child with us, however we end: on Linux, where util-linux is. */
export function canTieToParent(): boolean {
  canTie ??= process.platform === 'linux' && spawnSync(SETPRIV, [...TIED, 'true']).status === 0
  return canTie
}

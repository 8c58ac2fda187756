import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { constants } from 'node:os'
import { join } from 'node:path'
import type * as Electron from 'electron'
import { app } from './app.ts'

class StandInUtilityProcess extends EventEmitter {
  readonly #child: ChildProcess

  constructor(child: ChildProcess, serviceName: string) {
    super()
    this.#child = child
    const { pid } = child
    if (pid !== undefined) app.utilityProcesses.set(pid, serviceName)
    child.on('spawn', () => this.emit('spawn'))
    child.on('message', (message) => this.emit('message', message))
    child.on('exit', (code, signal) => {
      if (pid !== undefined) app.utilityProcesses.delete(pid)
      this.emit('exit', code ?? 128 + (signal ? constants.signals[signal] : 0))
    })
  }

  get pid(): number | undefined {
    return this.#child.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined
  }
  get stdout() {
    return this.#child.stdout
  }
  get stderr() {
    return this.#child.stderr
  }
  postMessage = (message: object): void => {
    if (this.#child.connected) this.#child.send(message)
  }
  kill = (): boolean => this.#child.kill()
}

export const utilityProcess = {
  fork(modulePath: string, args: string[] = [], options: Electron.ForkOptions = {}): StandInUtilityProcess {
    const output = options.stdio === 'pipe' ? 'pipe' : 'inherit'
    const child = fork(modulePath, args, {
      // Not this process's own arguments: they carry the debugger's port and Playwright's loader.
      execArgv: ['-r', join(import.meta.dirname, 'utility-child.cjs')],
      stdio: ['ignore', output, output, 'ipc'],
      serialization: 'advanced'
    })
    return new StandInUtilityProcess(child, options.serviceName ?? 'Node Utility Process')
  }
}

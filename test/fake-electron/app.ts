import { EventEmitter } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Electron from 'electron'
import { closeChromium, openChromium } from './chromium.ts'
import { Vetoable } from './vetoable.ts'

/** A second instance signals the first with this; nothing else here uses it. */
const secondInstanceSignal = 'SIGUSR2'

type ClosableWindow = { close(): void; isDestroyed(): boolean; destroyForQuit(): Promise<void> }
type ProcessMetric = Pick<Electron.ProcessMetric, 'pid' | 'type'> & { name?: string }

class StandInApp extends EventEmitter {
  readonly isPackaged = false
  readonly commandLine = { appendSwitch: () => {}, hasSwitch: () => false, getSwitchValue: () => '' }
  /** Filled by the modules that make windows and processes. */
  readonly windows = new Set<ClosableWindow>()
  readonly utilityProcesses = new Map<number, string>()
  readonly #tempDir = mkdtempSync(join(tmpdir(), 'electron-stand-in-data-'))
  readonly #paths = new Map<string, string>()
  #instanceFile: string | undefined
  #ready: Promise<void> | undefined
  #isReady = false
  #quitting = false

  isReady = (): boolean => this.#isReady

  whenReady = (): Promise<void> => {
    this.#ready ??= openChromium().then(() => {
      this.#isReady = true
      this.emit('ready', {}, {})
    })
    return this.#ready
  }

  getPath = (name: string): string => this.#paths.get(name) ?? join(this.#tempDir, name)
  setPath = (name: string, path: string): void => void this.#paths.set(name, path)
  getAppPath = (): string => process.cwd()
  getName = (): string => 'flightcase'
  getVersion = (): string => '0.0.0-stand-in'
  getLocale = (): string => (process.env.LANG ?? 'en').split('.')[0]?.replace('_', '-') ?? 'en'
  setAppUserModelId = (): void => {}

  getAppMetrics = (): ProcessMetric[] => [
    { pid: process.pid, type: 'Browser' },
    ...[...this.utilityProcesses].map(([pid, name]) => ({ pid, type: 'Utility' as const, name }))
  ]

  requestSingleInstanceLock = (): boolean => {
    const file = join(this.getPath('userData'), '.instance')
    const owner = ownerOf(file)
    if (owner !== undefined) {
      process.kill(owner, secondInstanceSignal)
      return false
    }
    writeFileSync(file, String(process.pid))
    this.#instanceFile = file
    process.on(secondInstanceSignal, () => this.emit('second-instance', {}, [], process.cwd(), null))
    return true
  }

  quit = (): void => {
    if (this.#quitting) return
    const veto = new Vetoable()
    this.emit('before-quit', veto)
    if (veto.defaultPrevented) return
    this.#quitting = true
    void this.#finish()
  }

  exit = (code = 0): void => {
    void this.#leave(code)
  }

  async #finish(): Promise<void> {
    for (const window of [...this.windows]) {
      window.close()
      await window.destroyForQuit()
    }
    // A window that refused to close has kept the application open.
    if (this.windows.size > 0) {
      this.#quitting = false
      return
    }
    this.emit('will-quit', new Vetoable())
    this.emit('quit', {}, 0)
    await this.#leave(0)
  }

  async #leave(code: number): Promise<void> {
    await closeChromium()
    process.exit(code)
  }

  cleanUp(): void {
    if (this.#instanceFile) rmSync(this.#instanceFile, { force: true })
    rmSync(this.#tempDir, { recursive: true, force: true })
  }
}

function ownerOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    process.kill(pid, 0)
    return pid
  } catch {
    // No file, or its process is gone.
    return undefined
  }
}

export const app = new StandInApp()
process.on('exit', () => app.cleanUp())

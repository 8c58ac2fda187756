import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type BrowserContext, chromium } from '@playwright/test'
import { findChromium } from './find-chromium.ts'

interface RunningChromium {
  context: BrowserContext
  close(): Promise<void>
}

let running: Promise<RunningChromium> | undefined

/** Chromium, started by the first caller. Rejects when there is none or it ends before it listens. */
export function openChromium(): Promise<RunningChromium> {
  running ??= start()
  return running
}

/** Ends Chromium, when it was started, and removes its profile. */
export async function closeChromium(): Promise<void> {
  await (await running)?.close()
}

async function start(): Promise<RunningChromium> {
  const executable = findChromium()
  if (!executable) throw new Error('the Electron stand-in found no Chromium; set CHROMIUM_PATH')
  const profileDir = mkdtempSync(join(tmpdir(), 'electron-stand-in-'))
  const child = spawn(
    executable,
    [
      '--headless=new',
      '--remote-debugging-port=0',
      '--no-startup-window',
      '--no-first-run',
      '--disable-gpu',
      '--disable-background-networking',
      '--autoplay-policy=no-user-gesture-required',
      `--user-data-dir=${profileDir}`,
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] }
  )
  process.on('exit', () => child.kill('SIGKILL'))
  const browser = await chromium.connectOverCDP(await debuggerAddress(child))
  const [context] = browser.contexts()
  if (!context) throw new Error('Chromium offers no browser context')
  return {
    context,
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit')
        child.kill('SIGKILL')
        await gone
      }
      // Helper processes of Chromium may still write for a moment.
      rmSync(profileDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
    }
  }
}

/** Waits for the line that names the debugger's address, and repeats it: Playwright waits for it, too. */
function debuggerAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`Chromium exited with ${code} before it listened`)))
    if (!child.stderr) throw new Error('Chromium was started without a pipe')
    createInterface({ input: child.stderr }).on('line', (line) => {
      const address = /^DevTools listening on (ws:\S+)$/.exec(line)?.[1]
      if (!address) return
      process.stderr.write(`${line}\n`)
      resolve(address)
    })
  })
}

import { app, dialog, powerMonitor } from 'electron'
import type { DaemonProcess } from './daemon-process.ts'
import type { Texts } from './texts.ts'

/** Whether the application is on its way out. */
export interface QuitGate {
  isQuitting(): boolean
}

/**
 * Lets the application quit only after the daemon has finished. While files are in flight a person who quits is asked
 * first; a shutdown of the system or a signal is not, because nobody is there to answer.
 */
export function guardQuit(daemon: DaemonProcess, texts: Texts): QuitGate {
  let quitting = false
  let asking = false

  async function finish(): Promise<void> {
    if (quitting) return
    quitting = true
    await daemon.stop()
    app.quit()
  }

  async function finishIfWanted(): Promise<void> {
    if (asking || quitting) return
    asking = true
    const wanted = !isBusy(daemon) || (await confirmed(texts))
    asking = false
    if (wanted) await finish()
  }

  app.on('before-quit', (event) => {
    if (quitting && daemon.status.state === 'stopped') return
    event.preventDefault()
    void finishIfWanted()
  })
  powerMonitor.on('shutdown', () => void finish())
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void finish())

  return { isQuitting: () => quitting }
}

function isBusy(daemon: DaemonProcess): boolean {
  const { status } = daemon
  return status.state === 'running' && status.busy
}

async function confirmed(texts: Texts): Promise<boolean> {
  const { response } = await dialog.showMessageBox({
    type: 'warning',
    message: texts.quitQuestion,
    detail: texts.quitDetail,
    buttons: [texts.keepReceiving, texts.quitAnyway],
    defaultId: 0,
    cancelId: 0
  })
  return response === 1
}

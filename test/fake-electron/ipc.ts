import { EventEmitter } from 'node:events'

export interface InvokeEvent {
  sender: unknown
  senderFrame: { url: string }
}

type Handler = (event: InvokeEvent, ...args: unknown[]) => unknown

const handlers = new Map<string, Handler>()

export const ipcMain = Object.assign(new EventEmitter(), {
  handle(channel: string, handler: Handler): void {
    if (handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
    handlers.set(channel, handler)
  },
  removeHandler(channel: string): void {
    handlers.delete(channel)
  }
})

export type InvokeAnswer = { value: unknown } | { error: string }

/** Runs the handler of a channel for a page; what it throws becomes text, as in Electron. */
export async function answerInvoke(event: InvokeEvent, channel: string, args: unknown[]): Promise<InvokeAnswer> {
  const handler = handlers.get(channel)
  try {
    if (!handler) throw new Error(`No handler registered for '${channel}'`)
    return { value: await handler(event, ...args) }
  } catch (cause) {
    return { error: `Error invoking remote method '${channel}': ${String(cause)}` }
  }
}

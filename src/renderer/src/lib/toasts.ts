import { createStore } from './store.ts'

/** A short message that leaves by itself. */
export interface Toast {
  id: number
  tone: 'info' | 'bad'
  text: string
  /** What takes back what the message tells, also by Ctrl+Z. */
  action?: { label: string; run: () => void }
  /** Shows the file that the message is about. */
  open?: () => void
}

export const toasts = createStore<readonly Toast[]>([])

const mostAtOnce = 3
let lastId = 0

/** Shows a message; one that says the same goes, and the oldest when there are too many. Answers its id. */
export function showToast(toast: Omit<Toast, 'id'>): number {
  lastId += 1
  const others = toasts.get().filter(({ text }) => text !== toast.text)
  toasts.set([...others, { ...toast, id: lastId }].slice(-mostAtOnce))
  return lastId
}

/** Takes a message away; without effect when it is gone. */
export function dismissToast(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id))
}

/** Does what the newest message with an action offers, as Ctrl+Z does. Answers whether there was one. */
export function runLatestAction(): boolean {
  const latest = toasts.get().findLast((toast) => toast.action !== undefined)
  if (latest === undefined) return false
  dismissToast(latest.id)
  latest.action?.run()
  return true
}

import type { DaemonStatus, DesktopBridge } from '../../../shared/bridge.ts'
import { createStore } from './store.ts'

/** The desktop shell's verbs, or undefined in a plain browser. */
export const desktop: DesktopBridge | undefined = window.flightcase

/** What the desktop shell says about the daemon; null in a plain browser. */
export const daemonStatus = createStore<DaemonStatus | null>(null)

desktop?.onDaemonStatus((status) => daemonStatus.set(status))

/** Why the daemon is not there. `code` is stable; `message` is one English sentence for people. */
export interface DaemonFailure {
  code: string
  message: string
}

/**
 * Where the daemon stands, as the desktop shell sees it. `slow` says that the start takes longer than usual; `busy`
 * that uploads or jobs are in flight; `retryAtMs` (Unix epoch) when the next start is due after a failure.
 */
export type DaemonStatus =
  | { state: 'starting'; slow: boolean; lastFailure: DaemonFailure | null }
  | { state: 'running'; busy: boolean }
  | { state: 'failed'; failure: DaemonFailure; retryAtMs: number }
  | { state: 'stopping' }
  | { state: 'stopped' }

/** What a page can say about the application it runs in. */
export interface AppInfo {
  version: string
  platform: string
  dataDir: string
}

/**
 * What the desktop window offers its page as `window.flightcase`; in a plain browser it is absent.
 * Each verb rejects when the shell does not trust the page that asked.
 */
export interface DesktopBridge {
  appInfo(): Promise<AppInfo>
  openDataFolder(): Promise<void>
  openLogFolder(): Promise<void>
  /** Starts the daemon at once instead of after the pause; without effect while it runs. */
  retryDaemon(): Promise<void>
  /** Calls `listener` with the present status and with each later one; the answer ends the subscription. */
  onDaemonStatus(listener: (status: DaemonStatus) => void): () => void
}

/** Message channels between the window's preload script and the desktop shell. */
export const bridgeChannels = {
  appInfo: 'flightcase:app-info',
  openDataFolder: 'flightcase:open-data-folder',
  openLogFolder: 'flightcase:open-log-folder',
  retryDaemon: 'flightcase:retry-daemon',
  getDaemonStatus: 'flightcase:get-daemon-status',
  daemonStatus: 'flightcase:daemon-status'
} as const

declare global {
  interface Window {
    flightcase?: DesktopBridge
  }
}

/** Where the daemon stands, as the desktop shell sees it. */
export type DaemonStatus =
  | { state: 'starting'; slow: boolean }
  | { state: 'running'; busy: boolean }
  | { state: 'failed'; failure: DaemonFailure; retryAt: number }
  | { state: 'stopping' }
  | { state: 'stopped' }

/** Why the daemon is not there. `code` is stable; `message` is for people. */
export interface DaemonFailure {
  code: string
  message: string
}

/** What a page can say about the application it runs in. */
export interface AppInfo {
  version: string
  platform: string
  dataDir: string
}

/**
 * What the desktop window offers its page as `window.flightcase`; in a plain browser it is absent.
 * Each verb rejects when the shell refuses the page that asked.
 */
export interface DesktopBridge {
  appInfo(): Promise<AppInfo>
  openDataFolder(): Promise<void>
  openLogFolder(): Promise<void>
  /** Starts the daemon at once instead of after the pause; without effect while it runs. */
  retryDaemon(): Promise<void>
  /** Calls `listener` with the present status and every later one; the answer ends the subscription. */
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

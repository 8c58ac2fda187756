import { type IpcMainInvokeEvent, ipcMain } from 'electron'
import { type AppInfo, bridgeChannels, type DaemonStatus } from '../shared/bridge.ts'

export interface BridgeHandlers {
  appInfo: () => AppInfo
  openDataFolder: () => void
  openLogFolder: () => void
  retryDaemon: () => void
  getDaemonStatus: () => DaemonStatus
}

/** Answers the verbs of the preload script, for pages that `isOurPage` knows and for nobody else. */
export function answerBridge(handlers: BridgeHandlers, isOurPage: (url: string) => boolean): void {
  const answer = <T>(channel: string, handler: () => T) =>
    ipcMain.handle(channel, (event: IpcMainInvokeEvent): T => {
      if (!event.senderFrame || !isOurPage(event.senderFrame.url)) throw new Error(`${channel}: page not trusted`)
      return handler()
    })
  answer(bridgeChannels.appInfo, handlers.appInfo)
  answer(bridgeChannels.openDataFolder, handlers.openDataFolder)
  answer(bridgeChannels.openLogFolder, handlers.openLogFolder)
  answer(bridgeChannels.retryDaemon, handlers.retryDaemon)
  answer(bridgeChannels.getDaemonStatus, handlers.getDaemonStatus)
}

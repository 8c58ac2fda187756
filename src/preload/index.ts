import { contextBridge, type IpcRendererEvent, ipcRenderer } from 'electron'
import { bridgeChannels, type DaemonStatus, type DesktopBridge } from '../shared/bridge.ts'

const bridge: DesktopBridge = {
  appInfo: () => ipcRenderer.invoke(bridgeChannels.appInfo),
  openDataFolder: () => ipcRenderer.invoke(bridgeChannels.openDataFolder),
  openLogFolder: () => ipcRenderer.invoke(bridgeChannels.openLogFolder),
  retryDaemon: () => ipcRenderer.invoke(bridgeChannels.retryDaemon),
  onDaemonStatus(listener) {
    let superseded = false
    const onPush = (_event: IpcRendererEvent, status: DaemonStatus) => {
      superseded = true
      listener(status)
    }
    ipcRenderer.on(bridgeChannels.daemonStatus, onPush)
    // The answer about the present may arrive after a newer push, and is stale then.
    void ipcRenderer.invoke(bridgeChannels.getDaemonStatus).then((status: DaemonStatus) => {
      if (!superseded) listener(status)
    })
    return () => {
      superseded = true
      ipcRenderer.removeListener(bridgeChannels.daemonStatus, onPush)
    }
  }
}

contextBridge.exposeInMainWorld('flightcase', Object.freeze(bridge))

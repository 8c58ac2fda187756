import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { app, dialog, Notification, powerMonitor, session, shell, utilityProcess } from 'electron'
import type { DaemonStatus } from '../shared/bridge.ts'
import { DaemonProcess } from './daemon-process.ts'
import { answerBridge } from './ipc.ts'
import { KeepAwake } from './keep-awake.ts'
import { openLogFile } from './log-file.ts'
import { setApplicationMenu } from './menu.ts'
import { guardQuit } from './quit.ts'
import { limitPermissions, lockNavigation } from './security.ts'
import { type Texts, textsFor } from './texts.ts'
import { BaseTray } from './tray.ts'
import { MainWindow } from './window.ts'

const logMaxBytes = 10 * 1024 * 1024

/** A path of the built application, from the folder of this file. */
const beside = (path: string) => join(import.meta.dirname, path)

const dataDir = chooseDataDir()
const logDir = join(app.getPath('userData'), 'logs')

if (app.requestSingleInstanceLock()) app.whenReady().then(run).catch(giveUp)
else app.quit()

/**
 * FLIGHTCASE_DATA_DIR moves everything: the window's own files go along, so that one data folder never has two
 * instances and two data folders never share one.
 */
function chooseDataDir(): string {
  const chosen = process.env.FLIGHTCASE_DATA_DIR
  if (!chosen) return join(app.getPath('userData'), 'data')
  const userData = resolve(chosen, 'desktop')
  mkdirSync(userData, { recursive: true })
  app.setPath('userData', userData)
  return resolve(chosen)
}

function run(): void {
  app.setAppUserModelId('app.flightcase.desktop')
  const texts = textsFor(app.getLocale())
  const openDataFolder = () => void shell.openPath(dataDir)
  const openLogFolder = () => void shell.openPath(logDir)
  const daemon = createDaemonProcess()
  const quitGate = guardQuit(daemon, texts)

  const isOurPage = (url: string) => window.isOurPage(url)
  limitPermissions(session.defaultSession, isOurPage)
  lockNavigation(app, isOurPage)
  setApplicationMenu(texts, openDataFolder, openLogFolder)
  answerBridge(
    {
      appInfo: () => ({ version: app.getVersion(), platform: process.platform, dataDir }),
      openDataFolder,
      openLogFolder,
      retryDaemon: () => daemon.retry(),
      getDaemonStatus: () => daemon.status
    },
    isOurPage
  )

  const window = new MainWindow({
    preloadPath: beside('../preload/index.cjs'),
    iconPath: beside('../../resources/icons/icon.png'),
    statusPagePath: beside('../../resources/status-page/index.html'),
    isQuitting: quitGate.isQuitting,
    onHidden: sayOnceThatItStays(texts)
  })
  const tray = new BaseTray({
    iconPath: beside(`../../resources/icons/${process.platform === 'darwin' ? 'trayTemplate' : 'tray'}.png`),
    texts,
    onOpen: () => window.open(),
    onQuit: () => app.quit()
  })
  const keepAwake = new KeepAwake()

  const follow = (status: DaemonStatus) => {
    window.follow(status, daemon.ready)
    tray.follow(status)
    keepAwake.follow(status.state === 'running' && status.busy)
  }
  const tellPower = () => daemon.tellPower(powerMonitor.isOnBatteryPower())
  tellPower()
  powerMonitor.on('on-battery', tellPower)
  powerMonitor.on('on-ac', tellPower)
  daemon.on('status', follow)
  follow(daemon.status)
  daemon.start()

  app.on('second-instance', () => window.open())
  app.on('activate', () => window.open())
}

function createDaemonProcess(): DaemonProcess {
  return new DaemonProcess({
    fork: () => utilityProcess.fork(beside('../daemon/host.js'), [], { stdio: 'pipe', serviceName: 'Flightcase base' }),
    start: { type: 'start', dataDir, env: definedEntries(process.env) },
    log: openLogFile(join(logDir, 'daemon.log'), logMaxBytes, (chunk, cause) => console.error(String(chunk), cause))
  })
}

function sayOnceThatItStays(texts: Texts): () => void {
  let said = false
  return () => {
    if (!said) new Notification({ title: texts.hiddenTitle, body: texts.hiddenBody }).show()
    said = true
  }
}

function giveUp(cause: unknown): void {
  dialog.showErrorBox('Flightcase', cause instanceof Error ? (cause.stack ?? cause.message) : String(cause))
  app.exit(1)
}

function definedEntries(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

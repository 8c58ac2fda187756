import { type App, type Session, shell, type WebContents, type WebPreferences } from 'electron'

/** Preferences of every window: its page is ordinary web content and gets nothing of Node or of other origins. */
export const hardenedWebPreferences = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  // The spell checker downloads its dictionaries from the Internet.
  spellcheck: false
} satisfies WebPreferences

const grantedPermissions = new Set(['fullscreen', 'clipboard-sanitized-write'])

/** How long a click or key press counts as the reason for what follows; Chromium's own limit is the same. */
const gestureMs = 5_000
const gestures = new Set(['mouseDown', 'rawKeyDown', 'keyDown', 'touchEnd', 'gestureTap', 'pointerDown'])

/** Refuses every permission a page asks for, except full screen and writing text to the clipboard by our own pages. */
export function limitPermissions(session: Session, isOurPage: (url: string) => boolean): void {
  session.setPermissionRequestHandler((_contents, permission, decide, details) =>
    decide(grantedPermissions.has(permission) && isOurPage(details.requestingUrl))
  )
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => grantedPermissions.has(permission) && isOurPage(origin)
  )
}

/**
 * Keeps every page of the application on our own pages. Anything it wants to open goes to the system's browser, and
 * only for a web address that a person has just asked for.
 */
export function lockNavigation(app: App, isOurPage: (url: string) => boolean): void {
  app.on('web-contents-created', (_event, contents) => {
    const stayHome = (event: { url: string; preventDefault: () => void }) => {
      if (!isOurPage(event.url)) event.preventDefault()
    }
    contents.on('will-navigate', stayHome)
    contents.on('will-frame-navigate', stayHome)
    contents.on('will-redirect', stayHome)
    contents.on('will-attach-webview', (event) => event.preventDefault())
    openOutside(contents)
  })
}

function openOutside(contents: WebContents): void {
  let lastGestureMs = Number.NEGATIVE_INFINITY
  contents.on('input-event', (_event, input) => {
    if (gestures.has(input.type)) lastGestureMs = performance.now()
  })
  contents.setWindowOpenHandler(({ url }) => {
    const asked = performance.now() - lastGestureMs < gestureMs
    // One gesture opens one page.
    lastGestureMs = Number.NEGATIVE_INFINITY
    if (asked && isWebAddress(url)) void shell.openExternal(url)
    return { action: 'deny' }
  })
}

function isWebAddress(url: string): boolean {
  const protocol = URL.canParse(url) ? new URL(url).protocol : ''
  return protocol === 'http:' || protocol === 'https:'
}

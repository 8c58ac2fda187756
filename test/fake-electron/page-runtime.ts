/** Names of the functions through which a page reaches the stand-in. */
export const pageBindings = { invoke: '__standInInvoke', opened: '__standInOpened', input: '__standInInput' } as const

/** The function in the page through which the stand-in sends messages. */
export const pageReceiver = '__standInReceive'

/**
 * The script that runs before the scripts of every document of a window: what a preload script may `require`, the
 * preload script itself, and reports of input and of attempts to open windows.
 */
export function pageRuntime(preloadSource: string): string {
  return `(() => {
  if (window !== window.top || window.${pageReceiver}) return
  const invoke = window.${pageBindings.invoke}
  const opened = window.${pageBindings.opened}
  const input = window.${pageBindings.input}

  const listeners = new Map()
  const ipcRenderer = {
    async invoke(channel, ...args) {
      const answer = await invoke(channel, args)
      if ('error' in answer) throw new Error(answer.error)
      return answer.value
    },
    on(channel, listener) {
      if (!listeners.has(channel)) listeners.set(channel, new Set())
      listeners.get(channel).add(listener)
      return ipcRenderer
    },
    removeListener(channel, listener) {
      listeners.get(channel)?.delete(listener)
      return ipcRenderer
    }
  }
  const hidden = (value) => ({ value, enumerable: false })
  Object.defineProperty(window, '${pageReceiver}', hidden((channel, args) => {
    for (const listener of listeners.get(channel) ?? []) listener({}, ...args)
  }))
  const contextBridge = {
    exposeInMainWorld: (name, api) => Object.defineProperty(window, name, { value: Object.freeze(api), enumerable: true })
  }

  const reportInput = (type) => (event) => { if (event.isTrusted) void input(type) }
  addEventListener('pointerdown', reportInput('mouseDown'), true)
  addEventListener('keydown', reportInput('rawKeyDown'), true)
  window.open = (url = 'about:blank') => {
    void opened(new URL(url, location.href).href)
    return null
  }
  addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[target="_blank"]') : null
    if (!link || event.defaultPrevented) return
    event.preventDefault()
    void opened(link.href)
  })

  const require = (name) => {
    if (name === 'electron') return { contextBridge, ipcRenderer }
    throw new Error('a sandboxed preload script cannot require ' + name)
  }
  const module = { exports: {} }
  ;((require, module, exports) => {
${preloadSource}
  })(require, module, module.exports)
})()`
}

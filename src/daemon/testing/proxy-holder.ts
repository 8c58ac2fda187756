import { makeProxy } from '../media/make-proxy.ts'

// Started by a test that kills it: begins to encode a film, says so, and never goes on.
const [ffmpegPath = '', filePath = '', folder = ''] = process.argv.slice(2)
await makeProxy({
  ffmpegPath,
  filePath,
  folder,
  durationMs: null,
  signal: new AbortController().signal,
  onProgress: () => {},
  mayGoOn: () => {
    process.send?.('encoding')
    return new Promise(() => {})
  }
})

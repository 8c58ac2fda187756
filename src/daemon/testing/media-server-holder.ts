import { createManagedMediaServer, testLiveConfig } from './managed-media-server.ts'

// A process for tests to kill: it runs a media server of its own, and says when that is ready.
const [programPath = '', dir = ''] = process.argv.slice(2)
const { server } = await createManagedMediaServer({ config: testLiveConfig(dir, programPath), dir })
server.onReady(() => process.send?.('ready'))
server.start()

// Loaded into a daemon before its own code (`node --import`): tells on SIGUSR2 how long its event loop stood still at most.
import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 1
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delays.enable()
process.on('SIGUSR2', () => {
  process.stderr.write(`longest stall ${delays.max / 1e6} ms\n`)
  delays.reset()
})

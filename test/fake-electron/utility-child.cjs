// Gives a forked Node process what Electron gives a utility process: process.parentPort.
const { EventEmitter } = require('node:events')

const port = new EventEmitter()
port.postMessage = (message) => process.send?.(message)

// Messages wait for the first listener.
const early = []
process.on('message', (data) => {
  const event = { data, ports: [] }
  if (port.listenerCount('message') === 0) early.push(event)
  else port.emit('message', event)
})
port.on('newListener', (name) => {
  if (name !== 'message') return
  setImmediate(() => {
    for (const event of early.splice(0)) port.emit('message', event)
  })
})

// A utility process does not outlive the application.
process.on('disconnect', () => process.exit(1))

process.parentPort = port

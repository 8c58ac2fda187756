import express from 'express'

// The yardstick of `bench pilot`: the least an Express route with a JSON body can cost. Prints its URL.

const app = express().disable('x-powered-by').disable('etag')
app.post('/fast-upload', express.json({ limit: '10mb' }), (request, response) => {
  response.json({ code: -1, message: `${request.body.fingerprint} don't exist.`, data: '' })
})
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}\n`)
})

import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Systems give ports from 32768 on (Linux) to connections that go out: one of those would be gone by the time that a program
 * which was told it starts, or starts again.
 */
const [LOWEST, COUNT] = [20_000, 12_000]
/** Processes that run side by side begin at places of their own. */
let next = (process.pid * 101) % COUNT

/** A loopback port that nobody listens on now, for a program that has to be told one; each time another one. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + next
    next = (next + 1) % COUNT
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

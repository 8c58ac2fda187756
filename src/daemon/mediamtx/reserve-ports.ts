import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

export interface PortWish {
  host: string
  /** 0: any free one. */
  port: number
  /** What to try first where any free one does; 0: nothing. */
  preferred?: number
  transport: 'tcp' | 'udp'
}

/** A port that could be had, or the system's reason why not (`EADDRINUSE`, `EACCES`, …). */
export type PortOutcome = { port: number } | { error: string }

/**
 * Finds out which ports another program can be told to listen at: all are taken for a moment, so that no two are the same,
 * and left again. In the order of the wishes.
 */
export async function reservePorts(wishes: PortWish[]): Promise<PortOutcome[]> {
  const held: (() => Promise<void>)[] = []
  const outcomes: PortOutcome[] = []
  // Ports that have a number first: none of them may go to a wish for any port.
  const order = wishes.map((wish, index) => ({ wish, index, number: wish.port || wish.preferred || 0 }))
  order.sort((a, b) => Math.sign(b.number) - Math.sign(a.number))
  for (const { wish, index, number } of order) {
    const first = await take(wish, number)
    const taken = 'error' in first && wish.port === 0 ? await take(wish, 0) : first
    if ('release' in taken) held.push(taken.release)
    outcomes[index] = taken
  }
  await Promise.all(held.map((release) => release()))
  return outcomes
}

type Taken = { port: number; release: () => Promise<void> }

async function take(wish: PortWish, port: number): Promise<Taken | { error: string }> {
  try {
    return await (wish.transport === 'tcp' ? takeTcp(wish.host, port) : takeUdp(wish.host, port))
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { error: String(error.code) }
    throw error
  }
}

async function takeTcp(host: string, port: number): Promise<Taken> {
  const server = createServer().listen({ host, port, exclusive: true })
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  const release = async () => {
    server.close()
    await once(server, 'close')
  }
  return { port: address.port, release }
}

async function takeUdp(host: string, port: number): Promise<Taken> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.bind({ address: host, port, exclusive: true })
  await once(socket, 'listening')
  const release = async () => {
    socket.close()
    await once(socket, 'close')
  }
  return { port: socket.address().port, release }
}

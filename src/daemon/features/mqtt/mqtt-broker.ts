import { createServer, type Server, Socket } from 'node:net'
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from 'aedes'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import type { ListenAddress } from '../../config/settings/listeners.ts'
import { listenOn } from '../../http/listener.ts'

export interface MqttBrokerOptions {
  address: ListenAddress
  /** Whom a password belongs to; undefined when it opens nothing. The user name is not looked at. */
  authenticate: (
    secret: string,
    remoteAddress: string | undefined
  ) => { name: string; tokenId: string | null } | undefined
  clock: Clock
  log: Logger
}

export interface MqttBroker {
  /** Opens the port and gives the real address. Throws `StartupError('listen_failed')`. */
  listen(): Promise<ListenAddress>
  /** That address; null while it is not open. */
  address(): ListenAddress | null
  /** How many controllers keep a link open now. */
  linkCount(): number
  /** Ends the connections that were opened with this token. */
  drop(tokenId: string): void
  /** Ends all connections. */
  close(): Promise<void>
}

/** What a controller sends about itself on `sys/product/{sn}/status` (DJI Cloud API, device topology). */
const statusSchema = z.object({ tid: z.string(), bid: z.string(), method: z.literal('update_topo') })
const STATUS_TOPIC = /^sys\/product\/([^/+#]{1,64})\/status$/
/** Pilot's own topics; nothing else passes. */
const PILOT_TOPIC = /^(sys|thing)\/product\//

const MAX_CONNECTIONS = 200
/** Nobody needs more than this to say who they are. */
const MAX_BYTES_BEFORE_LOGIN = 16_384
const MAX_PAYLOAD_BYTES = 1_048_576
const LOGIN_TIMEOUT_MS = 10_000

/**
 * The broker that Pilot's `thing` module connects to: it answers the topology report, so that Pilot shows the link as up,
 * and passes Pilot's own topics between connected clients. Every client needs a controller token as its password. It speaks
 * MQTT 3.1.1, not 5.
 */
export async function createMqttBroker(options: MqttBrokerOptions): Promise<MqttBroker> {
  const log = options.log.child({ part: 'mqtt' })
  const broker = await Aedes.createBroker({ connectTimeout: LOGIN_TIMEOUT_MS, maxClientsIdLength: 128 })
  const greeted = new WeakSet<object>()
  const links = new Map<Client, string | null>()

  broker.authenticate = (client, _username, password, done) => {
    const identity =
      password === undefined ? undefined : options.authenticate(password.toString('utf8'), remoteAddressOf(client))
    if (!identity) {
      log.info({ clientId: client.id }, 'a client without a valid token was refused')
      done(Object.assign(new Error('bad token'), { returnCode: 4 }) as AuthenticateError, null)
      return
    }
    greeted.add(client.conn)
    links.set(client, identity.tokenId)
    client.conn.once('close', () => links.delete(client))
    log.info({ clientId: client.id, name: identity.name }, 'controller link is up')
    done(null, true)
  }
  broker.authorizePublish = (_client, packet, done) => {
    const isAllowed = PILOT_TOPIC.test(packet.topic) && packet.payload.length <= MAX_PAYLOAD_BYTES
    done(isAllowed ? null : new Error(`nobody may publish ${packet.topic} here`))
  }
  broker.authorizeSubscribe = (_client, subscription, done) => {
    done(null, PILOT_TOPIC.test(subscription.topic) ? subscription : null)
  }
  broker.on('publish', (packet: PublishPacket, client: Client | null) => {
    const serial = STATUS_TOPIC.exec(packet.topic)?.[1]
    if (client && serial !== undefined) answerTopology(serial, packet.payload)
  })
  for (const event of ['clientError', 'connectionError'] as const)
    broker.on(event, (client: Client, error: Error) => log.debug({ clientId: client.id, err: error }, 'link broke'))

  function answerTopology(serial: string, payload: string | Buffer): void {
    const status = statusSchema.safeParse(parseJson(payload))
    if (!status.success) return
    const { tid, bid, method } = status.data
    broker.publish(
      {
        cmd: 'publish',
        topic: `sys/product/${serial}/status_reply`,
        payload: JSON.stringify({ tid, bid, timestamp: options.clock.nowMs(), method, data: { result: 0 } }),
        qos: 0,
        retain: false,
        dup: false
      },
      (error) => error && log.warn({ err: error }, 'the answer to a topology report was not sent')
    )
  }

  const server: Server = createServer((socket) => {
    refuseFloods(socket, () => greeted.has(socket))
    broker.handle(socket)
  })
  server.maxConnections = MAX_CONNECTIONS
  let address: ListenAddress | null = null
  return {
    linkCount: () => links.size,
    listen: async () => {
      address = await listenOn(server, { name: 'mqtt', address: options.address, log })
      return address
    },
    address: () => address,
    drop(tokenId) {
      for (const [client, usedTokenId] of links) {
        if (usedTokenId !== tokenId) continue
        log.info({ clientId: client.id }, 'a link was ended, its token is revoked')
        client.conn.destroy()
      }
    },
    async close() {
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    }
  }
}

/** The parser collects a whole packet in memory, so a stranger must not be able to announce a huge one. */
function refuseFloods(socket: Socket, isGreeted: () => boolean): void {
  let packetBytes = 0
  socket.on('data', (chunk: Buffer) => {
    if (isGreeted()) return
    packetBytes += chunk.length
    if (packetBytes > MAX_BYTES_BEFORE_LOGIN) socket.destroy()
  })
  socket.on('error', () => socket.destroy())
}

function parseJson(payload: string | Buffer): unknown {
  try {
    return JSON.parse(payload.toString())
  } catch {
    return undefined
  }
}

/** Aedes says only that it is a stream; here it is always a socket. */
function remoteAddressOf({ conn }: Client): string | undefined {
  return conn instanceof Socket ? conn.remoteAddress : undefined
}

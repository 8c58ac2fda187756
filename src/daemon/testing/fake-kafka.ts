import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { crc32c } from '@node-rs/crc32'
import { onTestFinished } from 'vitest'

export interface FakeRecord {
  topic: string
  partition: number
  key: string
  value: string
  headers: Record<string, string>
}

export interface FakeKafka {
  broker: string
  /** What was produced, in the order in which it came. */
  records: FakeRecord[]
  /** Ends all connections and takes no new ones. */
  goDown(): Promise<void>
  comeBack(): Promise<void>
  /** What the next produce requests get: an error code of the protocol, or no answer at all. */
  refuseWith(code: number | 'silence' | null): void
}

const PARTITIONS = 3
const API_VERSIONS = 18
const METADATA = 3
const PRODUCE = 0
const CORRUPT_MESSAGE = 2

/**
 * One broker that speaks as much of the Kafka protocol as a producer needs: ApiVersions 3, Metadata 1, Produce 3. It checks
 * the record batches it gets (format v2, CRC-32C) and refuses damaged ones. Ends with the test.
 */
export async function startFakeKafka(): Promise<FakeKafka> {
  const records: FakeRecord[] = []
  const sockets = new Set<Socket>()
  let refusal: number | 'silence' | null = null
  let server: Server
  let port = 0

  async function listen(): Promise<void> {
    server = createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      let received = Buffer.alloc(0)
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk])
        while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
          const end = 4 + received.readInt32BE(0)
          const answer = answerTo(new Reader(received.subarray(4, end)))
          received = received.subarray(end)
          if (answer) socket.write(sized(answer))
        }
      })
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }

  async function goDown(): Promise<void> {
    if (!server.listening) return
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }

  function answerTo(request: Reader): Buffer | null {
    const [api, version, correlationId] = [request.int16(), request.int16(), request.int32()]
    request.string()
    if (api === API_VERSIONS && version >= 3) return Buffer.concat([int32(correlationId), apiVersions()])
    if (api === METADATA && version === 1) return Buffer.concat([int32(correlationId), metadata(request)])
    if (api !== PRODUCE || version !== 3)
      throw new Error(`the fake Kafka does not know API ${api} in version ${version}`)
    return refusal === 'silence' ? null : Buffer.concat([int32(correlationId), produce(request, refusal ?? 0)])
  }

  function apiVersions(): Buffer {
    const supported = [
      [PRODUCE, 3],
      [METADATA, 1],
      [API_VERSIONS, 3]
    ]
    const entries = supported.map(([api = 0, version = 0]) =>
      Buffer.concat([int16(api), int16(version), int16(version), NO_TAGS])
    )
    return Buffer.concat([int16(0), Buffer.from([entries.length + 1]), ...entries, int32(0), NO_TAGS])
  }

  function metadata(request: Reader): Buffer {
    const topics = request.array(() => request.string() ?? '')
    const partitions = Array.from({ length: PARTITIONS }, (_, index) =>
      Buffer.concat([int16(0), int32(index), int32(1), list([int32(1)]), list([int32(1)])])
    )
    return Buffer.concat([
      list([Buffer.concat([int32(1), string('127.0.0.1'), int32(port), int16(-1)])]),
      int32(1),
      list(topics.map((topic) => Buffer.concat([int16(0), string(topic), Buffer.from([0]), list(partitions)])))
    ])
  }

  function produce(request: Reader, refusedWith: number): Buffer {
    request.string()
    const acks = request.int16()
    if (acks !== -1) throw new Error(`all replicas were to acknowledge, but the request says ${acks}`)
    request.int32()
    const topics = request.array(() => {
      const topic = request.string() ?? ''
      const partitions = request.array(() => {
        const partition = request.int32()
        const batch = recordsOf(request.bytes(request.int32()))
        const code = refusedWith === 0 && batch === null ? CORRUPT_MESSAGE : refusedWith
        if (code === 0) for (const record of batch ?? []) records.push({ topic, partition, ...record })
        return Buffer.concat([int32(partition), int16(code), int64(0n), int64(-1n)])
      })
      return Buffer.concat([string(topic), list(partitions)])
    })
    return Buffer.concat([list(topics), int32(0)])
  }

  await listen()
  onTestFinished(goDown)
  return {
    broker: `127.0.0.1:${port}`,
    records,
    goDown,
    comeBack: listen,
    refuseWith: (code) => {
      refusal = code
    }
  }
}

/** The records of a batch; null when it is damaged. */
function recordsOf(batch: Buffer): Omit<FakeRecord, 'topic' | 'partition'>[] | null {
  const reader = new Reader(batch)
  reader.int64()
  const lengthFits = reader.int32() === batch.length - 12
  reader.int32()
  const magic = reader.bytes(1)[0]
  const crc = reader.int32() >>> 0
  if (!lengthFits || magic !== 2 || crc !== crc32c(batch.subarray(21))) return null
  // Attributes, last offset, timestamps, producer and sequence.
  reader.bytes(2 + 4 + 8 + 8 + 8 + 2 + 4)
  return reader.array(() => {
    reader.varint()
    reader.bytes(1)
    reader.varint()
    reader.varint()
    const text = (): string => reader.bytes(reader.varint()).toString('utf8')
    const [key, value] = [text(), text()]
    const headers = Array.from({ length: reader.varint() }, () => [text(), text()])
    return { key, value, headers: Object.fromEntries(headers) as Record<string, string> }
  })
}

/** Reads the primitive types of the protocol, one after the other. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  bytes(length: number): Buffer {
    this.#at += length
    if (this.#at > this.#bytes.length) throw new RangeError('the message is shorter than it says')
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  int16 = (): number => this.bytes(2).readInt16BE()
  int32 = (): number => this.bytes(4).readInt32BE()
  int64 = (): bigint => this.bytes(8).readBigInt64BE()

  string(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.bytes(length).toString('utf8')
  }

  array<T>(item: () => T): T[] {
    return Array.from({ length: this.int32() }, item)
  }

  /** A zigzag number of up to 53 bits. */
  varint(): number {
    let [value, factor] = [0, 1]
    for (;;) {
      const byte = this.bytes(1)[0]!
      value += (byte & 0x7f) * factor
      factor *= 128
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
  }
}

const NO_TAGS = Buffer.from([0])
const int16 = (value: number): Buffer => Buffer.from([(value >> 8) & 255, value & 255])
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const int64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}
const string = (text: string): Buffer => Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)])
const list = (items: Buffer[]): Buffer => Buffer.concat([int32(items.length), ...items])
const sized = (message: Buffer): Buffer => Buffer.concat([int32(message.length), message])

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { S3ObjectStore, type S3ObjectStoreOptions } from '../../object-store/s3-object-store.ts'
import { HttpMiddleman } from '../../testing/http-middleman.ts'
import { TcpGate } from '../../testing/tcp-gate.ts'
import { openIdentityService } from '../credentials/identity-service.ts'
import { EndpointHarness, EVERYTHING, REGION } from '../endpoint/endpoint-harness.ts'
import { createS3Endpoint } from '../endpoint/s3-endpoint.ts'
import { type GatewayStorage, openGateway } from './gateway-storage.ts'

const { FLIGHTCASE_TEST_S3_ENDPOINT, FLIGHTCASE_TEST_S3_ACCESS_KEY, FLIGHTCASE_TEST_S3_SECRET_KEY } = process.env

/** The store of the FLIGHTCASE_TEST_S3_* settings. */
export const theirs =
  FLIGHTCASE_TEST_S3_ENDPOINT && FLIGHTCASE_TEST_S3_ACCESS_KEY && FLIGHTCASE_TEST_S3_SECRET_KEY
    ? {
        endpoint: FLIGHTCASE_TEST_S3_ENDPOINT,
        bucket: process.env['FLIGHTCASE_TEST_S3_BUCKET'] ?? 'flightcase-test',
        credentials: { accessKeyId: FLIGHTCASE_TEST_S3_ACCESS_KEY, secretAccessKey: FLIGHTCASE_TEST_S3_SECRET_KEY }
      }
    : null
export const bucket = theirs?.bucket ?? 'media'

/** An endpoint before a store: ours, through a middleman and a way that can be cut, or the one of the FLIGHTCASE_TEST_S3_* settings. */
export class GatewayHarness {
  readonly directory: string
  readonly behind: EndpointHarness
  readonly middleman: HttpMiddleman
  readonly gate: TcpGate
  gateway!: GatewayStorage
  url = ''
  /** How far the gateway's clock is ahead. */
  laterMs = 0
  #stop: () => Promise<void> = async () => {}
  readonly admin
  /** Everything that was logged, as JSON lines. */
  readonly logged: string[] = []
  readonly #log = pino({ level: 'trace' }, { write: (line) => void this.logged.push(line) })
  readonly #identity

  private constructor(directory: string, behind: EndpointHarness, middleman: HttpMiddleman, gate: TcpGate) {
    this.directory = directory
    this.behind = behind
    this.middleman = middleman
    this.gate = gate
    this.#identity = openIdentityService({ directory, log: this.#log })
    this.admin = this.#identity.createServiceUser({ name: 'admin', policy: EVERYTHING, canAssume: true })
  }

  static async open(): Promise<GatewayHarness> {
    const behind = await EndpointHarness.open()
    const directory = await mkdtemp(join(tmpdir(), 'flightcase-gateway-'))
    const middleman = await HttpMiddleman.open(behind.port)
    const harness = new GatewayHarness(directory, behind, middleman, await TcpGate.open(middleman.port))
    await harness.start()
    return harness
  }

  async start(): Promise<void> {
    const { behind, gate, directory } = this
    const ours = { endpoint: `http://127.0.0.1:${gate.port}`, credentials: behind.admin, bucket: 'media' }
    const server = { ...(theirs ?? ours), region: REGION }
    this.gateway = await openGateway({
      directory,
      server,
      owner: 'flightcase',
      reserveBytes: 0,
      clock: () => Date.now() + this.laterMs
    })
    const endpoint = createS3Endpoint({
      engine: this.gateway,
      identity: this.#identity,
      region: REGION,
      log: this.#log
    })
    const { port } = await endpoint.listen('127.0.0.1', 0)
    this.url = `http://127.0.0.1:${port}`
    this.#stop = async () => {
      await endpoint.close(0)
      await this.gateway.close()
    }
  }

  async restart(): Promise<void> {
    await this.#stop()
    await this.start()
  }

  store(options: Partial<S3ObjectStoreOptions> = {}): S3ObjectStore {
    return new S3ObjectStore({ endpoint: this.url, region: REGION, bucket, credentials: this.admin, ...options })
  }

  /** Bodies that are on their way. */
  async spooled(): Promise<string[]> {
    const entries = await readdir(this.directory, { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile() && /blobs|staging/.test(entry.parentPath)).map(({ name }) => name)
  }

  async dispose(): Promise<void> {
    await this.#stop()
    this.#identity.close()
    await this.gate.close()
    await this.middleman.close()
    await this.behind.dispose()
    await rm(this.directory, { recursive: true, force: true })
  }
}

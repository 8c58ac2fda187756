import { randomUUID } from 'node:crypto'
import { DeleteObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'

/** The server that the settings of the environment name. Throws for what is not set. */
export function bucketFromSettings(env: NodeJS.ProcessEnv): DemoBucket {
  const needed = (name: string) => {
    const value = env[name]
    if (!value) throw new Error(`${name} is not set: the demo needs to know the store`)
    return value
  }
  return new DemoBucket({
    endpoint: needed('FLIGHTCASE_S3_ENDPOINT'),
    accessKeyId: needed('FLIGHTCASE_S3_ACCESS_KEY'),
    secretAccessKey: needed('FLIGHTCASE_S3_SECRET_KEY'),
    bucket: env['FLIGHTCASE_S3_BUCKET'] || 'media',
    region: env['FLIGHTCASE_S3_REGION'] || 'us-east-1'
  })
}

/** The part of a bucket that one run of the demo has for itself, whoever else uses the bucket. */
export class DemoBucket {
  readonly bucket: string
  readonly #s3: S3Client
  readonly #root = `demo-${randomUUID()}`
  /** The workspaces whose uploads belong to this run: of the day, and of whoever sends something again. */
  readonly workspaces = [randomUUID(), randomUUID()] as const

  constructor(server: {
    endpoint: string
    accessKeyId: string
    secretAccessKey: string
    bucket: string
    region: string
  }) {
    const { endpoint, region, bucket, ...credentials } = server
    this.bucket = bucket
    this.#s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  }

  /** Settings for a daemon that keeps to this part. */
  get env(): Record<string, string> {
    return { FLIGHTCASE_BUCKET_ROOT_PREFIX: this.#root }
  }

  /** How many objects this run has in the bucket now: media, and what was made of it. */
  async count(): Promise<{ originals: number; renditions: number }> {
    const counts = { originals: 0, renditions: 0 }
    for await (const { Key = '' } of this.#objects()) {
      // By this the base knows the bucket again.
      if (Key === `${this.#root}/.flightcase/store-id`) continue
      counts[Key.startsWith(`${this.#root}/renditions/`) ? 'renditions' : 'originals']++
    }
    return counts
  }

  /** Removes all of it. */
  async empty(): Promise<void> {
    for await (const { Key } of this.#objects())
      await this.#s3.send(new DeleteObjectCommand({ Bucket: this.bucket, Key }))
  }

  close(): void {
    this.#s3.destroy()
  }

  async *#objects() {
    const prefixes = [`${this.#root}/`, ...this.workspaces.map((workspace) => `media/${workspace}/`)]
    for (const Prefix of prefixes)
      for await (const page of paginateListObjectsV2({ client: this.#s3 }, { Bucket: this.bucket, Prefix }))
        yield* page.Contents ?? []
  }
}

// Stepping stone until the embedded store is here.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { type ObjectStat, type ObjectStore, ObjectStoreError } from '../object-store/object-store.ts'

export class InterimStore implements ObjectStore {
  readonly kind: 'local' | 's3'
  readonly bucket = 'media'
  objects = new Map<string, { bytes: Buffer; etag: string; lastModifiedMs: number; sha256: string | null }>()
  outage: ObjectStoreError | null = null
  heads = 0
  constructor(kind: 'local' | 's3') {
    this.kind = kind
  }
  #check() {
    if (this.outage) throw this.outage
  }
  async put(key: string, body: Uint8Array) {
    this.#check()
    const bytes = Buffer.from(body)
    const etag = createHash('md5').update(bytes).digest('hex')
    const sha256 = this.kind === 'local' ? createHash('sha256').update(bytes).digest('hex') : null
    this.objects.set(key, { bytes, etag, lastModifiedMs: Date.now(), sha256 })
    return { etag, sizeBytes: bytes.length, sha256 }
  }
  async uploadStream(): Promise<never> {
    throw new Error('no')
  }
  async head(key: string): Promise<ObjectStat | null> {
    this.heads++
    this.#check()
    const found = this.objects.get(key)
    return found
      ? {
          key,
          sizeBytes: found.bytes.length,
          etag: found.etag,
          lastModifiedMs: found.lastModifiedMs,
          contentType: '',
          metadata: {},
          sha256: found.sha256
        }
      : null
  }
  async getStream(key: string) {
    const stat = await this.head(key)
    if (!stat) throw new ObjectStoreError('NotFound', key)
    return { stat, stream: Readable.from([this.objects.get(key)!.bytes]), sizeBytes: stat.sizeBytes }
  }
  async localPath() {
    return null
  }
  async sha256Of(key: string) {
    this.#check()
    const found = this.objects.get(key)
    if (!found) throw new ObjectStoreError('NotFound', key)
    return createHash('sha256').update(found.bytes).digest('hex')
  }
  async list({
    prefix = '',
    delimiter,
    cursor,
    limit = 1000
  }: {
    prefix?: string
    delimiter?: string
    cursor?: string
    limit?: number
  } = {}) {
    this.#check()
    const prefixes = new Set<string>()
    const objects = []
    for (const key of [...this.objects.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      if (!key.startsWith(prefix) || (cursor && key <= cursor)) continue
      const at = delimiter ? key.indexOf(delimiter, prefix.length) : -1
      if (at >= 0) prefixes.add(key.slice(0, at + 1))
      else {
        const o = this.objects.get(key)!
        objects.push({ key, sizeBytes: o.bytes.length, etag: o.etag, lastModifiedMs: o.lastModifiedMs })
      }
      if (objects.length === limit) return { objects, prefixes: [...prefixes], cursor: key }
    }
    return { objects, prefixes: [...prefixes], cursor: null }
  }
  async delete(key: string, options: { ifMatch?: string } = {}) {
    this.#check()
    const found = this.objects.get(key)
    if (found && options.ifMatch && found.etag !== options.ifMatch)
      throw new ObjectStoreError('PreconditionFailed', key)
    this.objects.delete(key)
  }
  async deleteMany(keys: string[]) {
    for (const key of keys) await this.delete(key)
    return { deleted: keys, failed: [] }
  }
  async copy(source: string, target: string, options: { ifMatch?: string; targetIfMatch?: string } = {}) {
    this.#check()
    const found = this.objects.get(source)
    if (!found) throw new ObjectStoreError('NotFound', source)
    if (options.ifMatch && found.etag !== options.ifMatch) throw new ObjectStoreError('PreconditionFailed', source)
    if (options.targetIfMatch && this.objects.get(target)?.etag !== options.targetIfMatch)
      throw new ObjectStoreError(this.objects.has(target) ? 'PreconditionFailed' : 'NotFound', target)
    this.objects.set(target, { ...found, lastModifiedMs: Date.now() })
    return { etag: found.etag, sizeBytes: found.bytes.length, sha256: found.sha256 }
  }
  async presignGet(): Promise<never> {
    throw new Error('no')
  }
  async presignPut(): Promise<never> {
    throw new Error('no')
  }
  async issueCredentials({ durationSeconds }: { durationSeconds: number }) {
    this.#check()
    return {
      accessKeyId: 'A',
      secretAccessKey: 'S',
      sessionToken: 'T',
      expiresAtMs: Date.now() + durationSeconds * 1000
    }
  }
  async health() {
    return { latencyMs: 0, writable: true, freeBytes: null, clockSkewMs: 0 }
  }
  async close() {}
}

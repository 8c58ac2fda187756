import { createHash } from 'node:crypto'
import { ASSET_ID_HEADER, TUS_PATH } from '../../../shared/api/tus.ts'
import { ownerOf } from './effects.ts'
import { CONTENTS, type Operation } from './operations.ts'
import type { Answer, World } from './world.ts'

export const contents = Array.from({ length: CONTENTS }, (_, n) => Buffer.from(`content ${n} `.repeat(3)))
export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** An upload whose id was heard. */
interface Begun {
  id: string
  how: 'link' | 'parts' | 'tus'
  bytes: Buffer
  /** So much of it is safe, by what was answered. */
  safeBytes: number
}

/** A client that uploads in every way there is, and goes on where it was interrupted. */
export class Uploader {
  readonly #world: World
  readonly #begun: Begun[] = []

  constructor(world: World) {
    this.#world = world
  }

  /** Uploads all of it, or leaves the end for later. */
  async upload({ how, content, holder, isFinished }: Operation & { do: 'upload' }): Promise<Answer> {
    const bytes = contents[content]!
    const fields = {
      // By this name the asset is known when it appears.
      name: `content-${content}-${holder ?? 'none'}.txt`,
      ...(holder === null ? {} : { namespace: 'app', owner: ownerOf(holder) }),
      ...(content % 2 ? { sha256: sha256(bytes) } : {})
    }
    if (how === 'form') return this.#sendForm(bytes, fields)
    const begun = how === 'tus' ? await this.#beginTus(bytes, fields) : await this.#begin(how, bytes, fields)
    return begun.upload && isFinished ? this.#end(begun.upload) : begun.answer
  }

  /** Goes on with an upload that was begun, also one that is through. */
  async goOn(n: number): Promise<Answer> {
    const upload = this.#begun.at(-1 - (n % this.#begun.length))
    return upload ? this.#end(upload) : null
  }

  #sendForm(bytes: Buffer, fields: Record<string, string>): Promise<Answer> {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
    form.append('file', new Blob([bytes as never]), 'file.txt')
    return this.#world.send('POST', '/api/v1/media/upload', form)
  }

  async #begin(how: 'link' | 'parts', bytes: Buffer, fields: Record<string, string>) {
    const world = this.#world
    const path = how === 'link' ? '/api/v1/media/presign' : '/api/v1/uploads'
    const answer = await world.request('POST', path, { ...fields, sizeBytes: bytes.length })
    const plan = answer?.body as {
      isStored: boolean
      uploadId: string
      uploadUrl: string
      headers: Record<string, string>
    }
    if (answer?.status !== 200 || plan.isStored) return { answer }
    const upload: Begun = { id: plan.uploadId, how, bytes, safeBytes: 0 }
    this.#begun.push(upload)
    const sent =
      how === 'link'
        ? await world.send('PUT', plan.uploadUrl, bytes, plan.headers)
        : await world.send('PUT', `/api/v1/uploads/${plan.uploadId}/parts/1`, bytes)
    if (sent?.status !== 200) return { answer: sent }
    upload.safeBytes = bytes.length
    return { answer: sent, upload }
  }

  async #beginTus(bytes: Buffer, fields: Record<string, string>) {
    const metadata = Object.entries(fields).map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    const answer = await this.#tus('POST', TUS_PATH, bytes.subarray(0, bytes.length >> 1), {
      'upload-length': String(bytes.length),
      'upload-metadata': metadata.join()
    })
    if (answer?.status !== 201) return { answer }
    const id = answer.headers.get('location')!.split('/').at(-1)!
    const upload: Begun = { id, how: 'tus', bytes, safeBytes: offsetIn(answer) }
    this.#begun.push(upload)
    return { answer, upload }
  }

  async #end(upload: Begun): Promise<Answer> {
    const { id, how, bytes, safeBytes } = upload
    const answer =
      how === 'tus' ? await this.#endTus(upload) : await this.#world.request('POST', `/api/v1/uploads/${id}/complete`)
    const { code } = (answer?.body ?? {}) as { code?: string }
    if (code === 'upload_incomplete' && safeBytes === bytes.length)
      throw new Error(`${id} lost bytes that were answered for`)
    // Refused bytes are thrown away.
    if (code === 'blob_quarantined') upload.safeBytes = 0
    return answer
  }

  async #endTus(upload: Begun): Promise<Answer> {
    const path = `${TUS_PATH}/${upload.id}`
    const head = await this.#tus('HEAD', path)
    if (head?.status !== 200) return head
    const offsetBytes = offsetIn(head)
    if (offsetBytes < upload.safeBytes) throw new Error(`${upload.id} has ${offsetBytes} of ${upload.safeBytes} bytes`)
    if (offsetBytes === upload.bytes.length) return head
    const sent = await this.#tus('PATCH', path, upload.bytes.subarray(offsetBytes), {
      'upload-offset': String(offsetBytes)
    })
    if (sent?.status === 204) upload.safeBytes = upload.bytes.length
    return sent
  }

  #tus(method: string, path: string, bytes?: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
    const type = bytes ? { 'content-type': 'application/offset+octet-stream' } : {}
    return this.#world.send(method, path, bytes, { 'tus-resumable': '1.0.0', ...type, ...headers })
  }
}

const offsetIn = (answer: NonNullable<Answer>) => Number(answer.headers.get('upload-offset'))

/** The asset that an upload became; null while it is none. */
export function uploadedAsset(answer: Answer): string | null {
  if (answer === null || answer.status >= 300) return null
  const { asset } = (answer.body ?? {}) as { asset?: { id: string } }
  return asset?.id ?? answer.headers.get(ASSET_ID_HEADER)
}

import type { z } from 'zod'
import {
  beginUpload,
  completeUpload,
  getUpload,
  putUploadPart,
  type uploadedMediaSchema,
  type uploadFieldsSchema,
  uploadMedia
} from '../shared/api/uploads.ts'
import { endpointUrl, refusalOf } from '../shared/api-client.ts'
import type { Connection } from './client.ts'
import { withPatience } from './patience.ts'

export type UploadedFile = z.output<typeof uploadedMediaSchema>

export type UploadOptions = Omit<z.input<typeof uploadFieldsSchema>, 'name'> & {
  /** What the file is called. */
  name: string
  /** Told after each part that arrived, with how many bytes are there. */
  onProgress?: (sentBytes: number) => void
  /** Told the id of an upload in parts: with it, another run goes on where this one ended. */
  onBegun?: (uploadId: string) => void
  /** Goes on with this upload in parts; the file must be the same. */
  uploadId?: string
  signal?: AbortSignal
}

/** Up to here one request is simpler and as safe. */
const FORM_BYTES = 16 * 1024 * 1024
const PARTS_AT_ONCE = 3

/** See `FlightcaseClient.upload`. */
export function uploadFile(connection: Connection, file: Blob, options: UploadOptions): Promise<UploadedFile> {
  const { onProgress = () => {}, onBegun = () => {}, uploadId, signal, ...fields } = options
  if (uploadId === undefined && file.size <= FORM_BYTES) return sendForm(connection, file, fields, signal)
  return sendInParts(connection, file, { fields, onProgress, onBegun, uploadId, signal })
}

type Fields = Omit<UploadOptions, 'onProgress' | 'onBegun' | 'uploadId' | 'signal'>

async function sendForm(
  connection: Connection,
  file: Blob,
  fields: Fields,
  signal: AbortSignal | undefined
): Promise<UploadedFile> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.append(name, String(value))
  form.append('file', file, fields.name)
  const answer = await send(connection, uploadMedia.method, uploadMedia.path, form, signal)
  return uploadMedia.response.parse(await answer.json())
}

async function sendInParts(
  connection: Connection,
  file: Blob,
  options: Required<Pick<UploadOptions, 'onProgress' | 'onBegun'>> & {
    fields: Fields
    uploadId: string | undefined
    signal: AbortSignal | undefined
  }
): Promise<UploadedFile> {
  const { api } = connection
  const { onProgress, signal } = options
  const plan = options.uploadId === undefined ? await begin() : await resume(options.uploadId)
  if ('stored' in plan) return plan.stored
  const { uploadId, missing } = plan
  let sentBytes = file.size - missing.reduce((sum, number) => sum + partOf(number).size, 0)
  onProgress(sentBytes)
  const failing = new AbortController()
  const ending = signal ? AbortSignal.any([signal, failing.signal]) : failing.signal
  const sendNext = async (): Promise<void> => {
    for (let number = missing.shift(); number !== undefined; number = missing.shift()) {
      const bytes = partOf(number)
      const path = endpointUrl(putUploadPart.path, { params: { uploadId, number } })
      await withPatience(ending, () => send(connection, putUploadPart.method, path, bytes, ending))
      sentBytes += bytes.size
      onProgress(sentBytes)
    }
  }
  try {
    await Promise.all(Array.from({ length: PARTS_AT_ONCE }, sendNext))
  } catch (error) {
    // Nobody waits for the other parts any more.
    failing.abort(error)
    throw error
  }
  return withPatience(signal, () => api.call(completeUpload, { params: { uploadId } }, signal))

  function partOf(number: number): Blob {
    return file.slice((number - 1) * plan.partSizeBytes, number * plan.partSizeBytes)
  }

  async function begin() {
    const begun = await api.call(beginUpload, { body: { ...options.fields, sizeBytes: file.size } }, signal)
    if (begun.isStored) return { stored: begun, partSizeBytes: file.size }
    options.onBegun(begun.uploadId)
    return { ...begun, missing: numbersUpTo(begun.partCount) }
  }

  async function resume(uploadId: string) {
    const { parts, sizeBytes } = await api.call(getUpload, { params: { uploadId } }, signal)
    if (parts === null) throw new TypeError(`${uploadId} is no upload in parts`)
    if (sizeBytes !== file.size) throw new TypeError(`the upload has ${sizeBytes} bytes, the file ${file.size}`)
    const received = new Set(parts.received.map(({ number }) => number))
    const missing = numbersUpTo(parts.partCount).filter((number) => !received.has(number))
    return { uploadId, partSizeBytes: parts.partSizeBytes, missing }
  }
}

function numbersUpTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

/** Throws `ApiError` for a refusal, and what `fetch` throws. */
async function send(
  connection: Connection,
  method: string,
  path: string,
  body: FormData | Blob,
  signal: AbortSignal | undefined
): Promise<Response> {
  const answer = await connection.fetch(connection.baseUrl + path, {
    method,
    body,
    headers: connection.headers,
    credentials: 'same-origin',
    ...(signal ? { signal } : {})
  })
  if (answer.ok) return answer
  throw await refusalOf(answer)
}

import {
  abortUpload,
  completeUpload,
  getUpload,
  presignUpload,
  uploadFieldsSchema,
  uploadMedia
} from '../../../shared/api/uploads.ts'
import { isoFromMs } from '../../clock.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { parsePart } from '../../http/parse-part.ts'
import { receiveForm } from '../../http/receive-form.ts'
import type { DirectUploadsService } from './direct-uploads.service.ts'
import type { UploadsService } from './uploads.service.ts'

/** A client that sends nothing for so long is gone. */
const SILENCE_MS = 60_000

export function bindUploads(
  binder: EndpointBinder,
  { service, direct }: { service: UploadsService; direct: DirectUploadsService }
): void {
  binder.bind(uploadMedia, async (_, { request }) => {
    request.setTimeout(SILENCE_MS, () => request.destroy())
    const { fields, file } = await receiveForm(request, {
      fileField: 'file',
      takeFile: (stream, name) => service.receive(stream, name),
      undo: (file) => service.discard(file)
    })
    try {
      return await service.admit(file, parsePart('form', uploadFieldsSchema, fields))
    } catch (error) {
      service.discard(file)
      throw error
    }
  })
  binder.bind(presignUpload, async ({ body: { name, sizeBytes, linkSeconds, ...fields } }) => {
    const begun = await direct.begin({ name, sizeBytes, fields, linkSeconds })
    if ('stored' in begun) return { isStored: true as const, ...begun.stored }
    const { uploadId, key, request } = begun
    return {
      isStored: false as const,
      uploadId,
      key,
      uploadUrl: request.url,
      headers: request.headers,
      expiresAt: isoFromMs(request.expiresAtMs),
      publicUrl: `/media/${uploadId}`
    }
  })
  binder.bind(completeUpload, ({ params }) => direct.complete(params.uploadId))
  binder.bind(getUpload, ({ params: { uploadId } }) => {
    const { state, fields, sizeBytes, expiresAtMs } = direct.find(uploadId)
    return { uploadId, state, name: fields.name ?? '', sizeBytes, expiresAt: isoFromMs(expiresAtMs) }
  })
  binder.bind(abortUpload, async ({ params }) => {
    await direct.abort(params.uploadId)
    return undefined
  })
}

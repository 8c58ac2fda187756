import {
  abortUpload,
  beginUpload,
  completeUpload,
  getUpload,
  presignUpload,
  putUploadPart,
  uploadFieldsSchema,
  uploadMedia
} from '../../../shared/api/uploads.ts'
import { isoFromMs } from '../../clock.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { bodyStream, hearOut, SILENCE_MS } from '../../http/body-stream.ts'
import { parsePart } from '../../http/parse-part.ts'
import { receiveForm } from '../../http/receive-form.ts'
import { partCount } from './part-plan.ts'
import type { PendingUploadsService } from './pending-uploads.service.ts'
import type { UploadsService } from './uploads.service.ts'

export function bindUploads(
  binder: EndpointBinder,
  { service, pending }: { service: UploadsService; pending: PendingUploadsService }
): void {
  binder.bind(uploadMedia, async (_, { request, caller, assertInScope, once }) => {
    const received = await receiveForm(request, {
      fileField: 'file',
      takeFile: (stream, name) => service.receive(stream, name),
      undo: (file) => service.discard(file)
    })
    const { file } = received
    let isAdmitted = false
    try {
      const fields = parsePart('form', uploadFieldsSchema, received.fields)
      assertInScope(fields)
      return await once({ fields, name: file.name, sha256: file.sha256 }, async () => {
        const media = await service.admit(file, fields)
        isAdmitted = true
        return service.toldTo(caller.workspaceIds, media)
      })
    } finally {
      if (!isAdmitted) service.discard(file)
    }
  })
  binder.bind(presignUpload, async ({ body: { name, sizeBytes, linkSeconds, ...fields } }) => {
    const begun = await pending.beginByLink({ name, sizeBytes, fields, linkSeconds })
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
  binder.bind(beginUpload, async ({ body: { name, sizeBytes, ...fields } }) => {
    const begun = await pending.beginInParts({ name, sizeBytes, fields })
    if ('stored' in begun) return { isStored: true as const, ...begun.stored }
    const { expiresAtMs, ...plan } = begun
    return { isStored: false as const, ...plan, expiresAt: isoFromMs(expiresAtMs) }
  })
  binder.bind(putUploadPart, async ({ params: { uploadId, number }, query: { sha256 } }, { request }) => {
    const length = request.headers['content-length']
    const sizeBytes = length === undefined ? null : Number(length)
    const stream = bodyStream(request, SILENCE_MS)
    try {
      const part = await pending.putPart(uploadId, number, { stream, sizeBytes, sha256 })
      return { number, sha256: part.sha256 }
    } catch (error) {
      stream.destroy()
      await hearOut(request)
      throw error
    }
  })
  binder.bind(completeUpload, async ({ params }, { caller }) =>
    service.toldTo(caller.workspaceIds, await pending.complete(params.uploadId))
  )
  binder.bind(getUpload, ({ params: { uploadId } }) => {
    const { state, fields, sizeBytes, expiresAtMs, parts, received, appended } = pending.find(uploadId)
    return {
      uploadId,
      state,
      name: fields.name ?? '',
      sizeBytes,
      expiresAt: isoFromMs(expiresAtMs),
      parts: parts && {
        partSizeBytes: parts.partSizeBytes,
        partCount: partCount(sizeBytes, parts.partSizeBytes),
        received: received.map(({ number, sha256 }) => ({ number, sha256 }))
      },
      offsetBytes: appended?.offsetBytes ?? null
    }
  })
  binder.bind(abortUpload, async ({ params }) => {
    await pending.abort(params.uploadId)
    return undefined
  })
}

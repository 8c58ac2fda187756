import { uploadFieldsSchema, uploadMedia } from '../../../shared/api/uploads.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { parsePart } from '../../http/parse-part.ts'
import { receiveForm } from '../../http/receive-form.ts'
import type { UploadsService } from './uploads.service.ts'

/** A client that sends nothing for so long is gone. */
const SILENCE_MS = 60_000

export function bindUploads(binder: EndpointBinder, service: UploadsService): void {
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
}

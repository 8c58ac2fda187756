import { getThumbnail } from '../../../shared/api/assets.ts'
import { AppError } from '../../errors.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { sendObject } from '../../http/send-object.ts'
import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import type { DeliveryGate } from '../delivery/delivery-gate.ts'
import type { RenditionsService } from './renditions.service.ts'

/** How long a browser may show a preview whose address names no version. */
const UNVERSIONED_SECONDS = 600

/** Serves previews, negotiated by Accept. */
export function bindRenditions(
  binder: EndpointBinder,
  { service, store, gate }: { service: RenditionsService; store: ObjectStore; gate: DeliveryGate }
): void {
  binder.bindStream(getThumbnail, async ({ params: { assetId, sizePx }, query }, context) => {
    const { request, response } = context
    const admission = await gate.admit(assetId, context)
    const rendition = await service.find(assetId, sizePx, request.headers.accept)
    const { format, createdAtMs, sizeBytes, key } = rendition
    response.vary('accept')
    try {
      await sendObject(
        store,
        {
          key,
          etag: `"${format}-${createdAtMs.toString(36)}-${sizeBytes.toString(36)}"`,
          lastModifiedMs: createdAtMs,
          sizeBytes,
          contentType: `image/${format}`,
          cacheControl: gate.cacheControl(admission, {
            immutable: query.v !== undefined,
            ownSeconds: UNVERSIONED_SECONDS
          })
        },
        context
      )
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.code !== 'NotFound') throw error
      service.healLost(assetId, sizePx, rendition)
      throw new AppError('rendition_not_available', { preview: 'pending', previewProblem: null }, { cause: error })
    }
  })
}

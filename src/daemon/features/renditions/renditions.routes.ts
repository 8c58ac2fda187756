import { getThumbnail, thumbnailSizesPx } from '../../../shared/api/assets.ts'
import { getHls, getRendition, listRenditions, requestRendition } from '../../../shared/api/renditions.ts'
import { AppError } from '../../errors.ts'
import type { CallContext, EndpointBinder } from '../../http/bind-endpoint.ts'
import { sendObject } from '../../http/send-object.ts'
import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import type { DeliveryGate } from '../delivery/delivery-gate.ts'
import type { RenditionOrders } from './rendition-orders.ts'
import { contentTypes, type RenditionFormat, type StoredRendition } from './renditions.repository.ts'
import type { RenditionsService } from './renditions.service.ts'

export interface RenditionRoutesDeps {
  service: RenditionsService
  orders: RenditionOrders
  store: ObjectStore
  gate: DeliveryGate
}

/** How long a browser may show a rendition whose address names no version. */
const UNVERSIONED_SECONDS = 600

/** Serves what is made of assets (pictures negotiated by Accept), tells how far it is and has it made. */
export function bindRenditions(binder: EndpointBinder, { service, orders, store, gate }: RenditionRoutesDeps): void {
  binder.bind(listRenditions, ({ params }) => ({ items: orders.list(params.assetId) }))
  binder.bind(requestRendition, ({ params, body }) => orders.order(params.assetId, body.name, body))

  binder.bindStream(getThumbnail, ({ params, query }, context) =>
    sendPicture(params.assetId, params.sizePx, { immutable: query.v !== undefined }, context)
  )
  binder.bindStream(getRendition, ({ params: { assetId, name } }, context) => {
    const sizePx = thumbnailSizesPx.find((size) => String(size) === name)
    if (sizePx !== undefined) return sendPicture(assetId, sizePx, { immutable: false }, context)
    return sendFile(assetId, name === 'proxy' ? { name, format: 'mp4' } : { name: 'strip', format: 'webp' }, context)
  })
  binder.bindStream(getHls, ({ params: { assetId, file } }, context) =>
    sendFile(assetId, { name: 'hls', format: file === 'index.m3u8' ? 'm3u8' : 'mp4' }, context)
  )

  async function sendPicture(
    assetId: string,
    sizePx: number,
    { immutable }: { immutable: boolean },
    context: CallContext
  ): Promise<void> {
    const admission = await gate.admit(assetId, context)
    const picture = await service.find(assetId, sizePx, context.request.headers.accept)
    context.response.vary('accept')
    const cacheControl = gate.cacheControl(admission, { immutable, ownSeconds: UNVERSIONED_SECONDS })
    await send(picture, cacheControl, context, () => service.healLost(assetId, sizePx, picture))
  }

  async function sendFile(
    assetId: string,
    wanted: { name: 'strip' | 'proxy' | 'hls'; format: RenditionFormat },
    context: CallContext
  ): Promise<void> {
    const admission = await gate.admit(assetId, context)
    const file = orders.find(assetId, wanted.name, wanted.format)
    const cacheControl = gate.cacheControl(admission, { immutable: false, ownSeconds: UNVERSIONED_SECONDS })
    await send(file, cacheControl, context, () => orders.healLost(assetId, wanted.name))
  }

  async function send(
    rendition: StoredRendition,
    cacheControl: string,
    context: CallContext,
    healLost: () => void
  ): Promise<void> {
    const { key, format, sizeBytes, createdAtMs } = rendition
    const etag = `"${format}-${createdAtMs.toString(36)}-${sizeBytes.toString(36)}"`
    const contentType = contentTypes[format]
    try {
      await sendObject(store, { key, etag, lastModifiedMs: createdAtMs, sizeBytes, contentType, cacheControl }, context)
    } catch (error) {
      const isLost = error instanceof ObjectStoreError && (error.code === 'NotFound' || error.code === 'Damaged')
      const isReplaced = error instanceof AppError && error.code === 'asset_damaged'
      if (!isLost && !isReplaced) throw error
      healLost()
      throw new AppError('rendition_not_available', { preview: 'pending', previewProblem: null }, { cause: error })
    }
  }
}

import { getMedia } from '../../../shared/api/assets.ts'
import { setAssetAccess } from '../../../shared/api/delivery.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { sendObject } from '../../http/send-object.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { AssetPolicies } from './asset-policies.ts'
import type { DeliveryGate } from './delivery-gate.ts'
import { mediaHeaders } from './media-headers.ts'

export interface DeliveryRouteDeps {
  store: ObjectStore
  gate: DeliveryGate
  policies: AssetPolicies
}

export function bindDelivery(binder: EndpointBinder, { store, gate, policies }: DeliveryRouteDeps): void {
  binder.bindStream(getMedia, async ({ params, query: { download } }, context) => {
    const admission = await gate.admit(params.assetId, context)
    const { key, etag, sha256, sizeBytes, receivedAtMs } = admission.asset
    const { contentType, headers } = mediaHeaders(admission.asset, { download })
    await sendObject(
      store,
      {
        key,
        storeEtag: etag,
        etag: `"${sha256 ?? etag}"`,
        lastModifiedMs: receivedAtMs,
        sizeBytes,
        contentType,
        cacheControl: gate.cacheControl(admission, { immutable: false, ownSeconds: 0 }),
        headers
      },
      context
    )
  })
  binder.bind(setAssetAccess, ({ params, body }, { caller }) => policies.set(params.assetId, body, caller))
}

import type { Request } from 'express'
import { getMedia } from '../../../shared/api/assets.ts'
import {
  getFileUrl,
  getMediaObject,
  listQuarantine,
  quarantineBytes,
  releaseBytes,
  replaceLinkKey,
  setAssetAccess
} from '../../../shared/api/delivery.ts'
import { isoFromMs } from '../../clock.ts'
import { pageFrom, unknownCursor } from '../../db/page.ts'
import { AppError } from '../../errors.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { sendObject } from '../../http/send-object.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { AssetPolicies } from './asset-policies.ts'
import type { DeliveryGate } from './delivery-gate.ts'
import type { FileUrls } from './file-urls.ts'
import type { LinkSigner } from './link-signer.ts'
import { mediaHeaders } from './media-headers.ts'
import type { QuarantineRepository } from './quarantine.repository.ts'
import type { QuarantineService } from './quarantine.service.ts'

export interface DeliveryRouteDeps {
  store: ObjectStore
  gate: DeliveryGate
  policies: AssetPolicies
  urls: FileUrls
  signer: LinkSigner
  quarantine: QuarantineService
  quarantined: QuarantineRepository
}

export function bindDelivery(binder: EndpointBinder, deps: DeliveryRouteDeps): void {
  const { store, gate, policies, urls, signer, quarantine, quarantined } = deps
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
  binder.bind(getFileUrl, async ({ params: { assetId }, query }, { caller, request }) => {
    const asset = await gate.open(assetId, caller)
    if (asset.binnedAtMs !== null) throw new AppError('asset_binned', { assetId })
    const { expiresInSeconds, download, rendition } = query
    const { expiresAtMs, ...found } = await urls.urlOf(asset, {
      thumbnailPx: rendition === undefined ? null : Number(rendition.slice('thumbnail-'.length)),
      download,
      expiresInSeconds,
      ownUrl: ownUrlOf(request)
    })
    return { ...found, expiresAt: expiresAtMs === null ? null : isoFromMs(expiresAtMs) }
  })
  binder.bind(getMediaObject, async ({ params: { assetId }, query }, { caller, request }) => {
    const asset = await gate.open(assetId, caller)
    if (asset.binnedAtMs !== null) throw new AppError('asset_not_found', { assetId })
    const { expiresInSeconds } = query
    const link = await urls.sign(asset, {
      thumbnailPx: null,
      download: false,
      expiresInSeconds,
      ownUrl: ownUrlOf(request)
    })
    const { id, ownerId, name, mimeType, sizeBytes, objectKey, width, height, durationMs, receivedAtMs } = asset
    return {
      id,
      ownerId,
      name,
      mimeType,
      sizeBytes,
      objectKey,
      metadata: { width, height, durationMs },
      createdAt: isoFromMs(receivedAtMs),
      status: 'active' as const,
      signedUrl: link.url,
      expiresAt: isoFromMs(link.expiresAtMs)
    }
  })
  binder.bind(replaceLinkKey, ({ body }) => {
    const { keyId, createdAtMs } = signer.rotate(body)
    return { keyId, createdAt: isoFromMs(createdAtMs) }
  })
  binder.bind(quarantineBytes, async ({ body: { sha256, assetId, reason } }) =>
    quarantine.add(sha256 ?? (await quarantine.digestOf(assetId!)), reason)
  )
  binder.bind(listQuarantine, ({ query: { cursor, limit } }) => {
    if (cursor !== undefined && !/^[0-9a-f]{64}$/.test(cursor)) throw unknownCursor()
    return pageFrom(quarantined.list(cursor, limit + 1), limit, ({ sha256 }) => sha256)
  })
  binder.bind(releaseBytes, ({ params }) => {
    quarantine.release(params.sha256)
    return undefined
  })
}

/** The host is one of ours, or the request would not have come so far. */
const ownUrlOf = (request: Request) => `${request.protocol}://${request.headers.host}`

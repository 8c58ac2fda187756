import type { DeliveryConfig } from '../../config/settings/delivery.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { DeliveredAsset } from './delivery.repository.ts'
import type { LinkSigner } from './link-signer.ts'
import { mediaHeaders } from './media-headers.ts'

export interface FileUrlsDeps {
  store: ObjectStore
  signer: LinkSigner
  config: DeliveryConfig
  /** A stored preview. Throws `rendition_not_available`. */
  findThumbnail: (assetId: string, sizePx: number) => Promise<{ key: string; format: string }>
}

export interface FileUrlRequest {
  /** Null for the original. */
  thumbnailPx: number | null
  download: boolean
  /** Undefined: as the configuration says. */
  expiresInSeconds: number | undefined
  /** How the caller reaches this program, without a slash at the end; counts where the configuration names no address. */
  ownUrl: string
}

export interface SignedUrl {
  url: string
  mode: 'presigned' | 'signed'
  expiresAtMs: number
}

/** Addresses that open an asset without a token. The caller has made sure that whoever asks may read it. */
export class FileUrls {
  readonly #deps: FileUrlsDeps

  constructor(deps: FileUrlsDeps) {
    this.#deps = deps
  }

  /** An address of the store or of this program, or the plain one of what is public anyway. Throws as `sign` does. */
  async urlOf(
    asset: DeliveredAsset,
    request: FileUrlRequest
  ): Promise<(SignedUrl | { url: string; mode: 'direct'; expiresAtMs: null }) & { cdnUrl: string | null }> {
    const { config, findThumbnail } = this.#deps
    const { cdnBaseUrl, usePresign } = config
    const { path, query } = addressOf(asset, request)
    const plain = path + (query ? `?${new URLSearchParams(query)}` : '')
    const cdnUrl = cdnBaseUrl && cdnBaseUrl + plain
    if (usePresign || asset.access !== 'public') return { ...(await this.sign(asset, request)), cdnUrl }
    if (request.thumbnailPx !== null) await findThumbnail(asset.id, request.thumbnailPx)
    return { url: cdnUrl ?? this.#base(request) + plain, mode: 'direct', expiresAtMs: null, cdnUrl }
  }

  /** An address that expires. Throws `rendition_not_available`, `ObjectStoreError`. */
  async sign(asset: DeliveredAsset, request: FileUrlRequest): Promise<SignedUrl> {
    const { store, signer, config, findThumbnail } = this.#deps
    const { thumbnailPx, expiresInSeconds = config.linkTtlSeconds } = request
    const thumbnail = thumbnailPx === null ? null : await findThumbnail(asset.id, thumbnailPx)
    if (config.usePresign) {
      const { contentType, disposition } = mediaHeaders(asset, request)
      const presigned = await store.presignGet(
        thumbnail?.key ?? asset.key,
        thumbnail
          ? { expiresInSeconds, responseContentType: `image/${thumbnail.format}` }
          : { expiresInSeconds, responseContentType: contentType, responseDisposition: disposition }
      )
      return { url: presigned.url, mode: 'presigned', expiresAtMs: presigned.expiresAtMs }
    }
    const { address, expiresAtMs } = signer.sign(addressOf(asset, request), asset.access, expiresInSeconds)
    return { url: this.#base(request) + address, mode: 'signed', expiresAtMs }
  }

  #base({ ownUrl }: FileUrlRequest): string {
    return this.#deps.config.publicUrl ?? ownUrl
  }
}

function addressOf(
  { id }: DeliveredAsset,
  { thumbnailPx, download }: FileUrlRequest
): { path: string; query?: Record<string, string> } {
  if (thumbnailPx !== null) return { path: `/thumbnail/${thumbnailPx}/${id}` }
  return { path: `/media/${id}`, ...(download && { query: { download: 'true' } }) }
}

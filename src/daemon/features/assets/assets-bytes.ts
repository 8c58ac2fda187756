/** Where an asset's bytes are. */
export interface AssetBytes {
  id: string
  name: string
  mimeType: string
  key: string
  /** The store's version mark, without quotes. */
  etag: string
  /** Hex; null until the fingerprint job ran. */
  sha256: string | null
  sizeBytes: number
}

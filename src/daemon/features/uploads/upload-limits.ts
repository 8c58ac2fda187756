import type { UploadTypeRule } from '../../config/settings/type-rules.ts'
import type { UploadConfig } from '../../config/settings/uploads.ts'
import { AppError } from '../../errors.ts'
import type { ImageSize } from '../../media/image-size.ts'

type Limits = Pick<UploadConfig, 'maxSizeBytes' | 'types' | 'maxImagePixels'>

/** How large which types of files may be. */
export class UploadLimits {
  readonly #config: Limits

  constructor(config: Limits) {
    this.#config = config
  }

  /** What no file may exceed, whatever it is. */
  get maxSizeBytes(): number {
    return this.#config.maxSizeBytes
  }

  /** Throws `payload_too_large` for what no type of file may be. */
  assertSize(sizeBytes: number): void {
    const { maxSizeBytes } = this.#config
    if (sizeBytes > maxSizeBytes) throw new AppError('payload_too_large', { maxSizeBytes })
  }

  /** How large a file of this type may be. Throws `media_type_not_allowed`. */
  maxSizeOf(mimeType: string): number {
    const { types, maxSizeBytes } = this.#config
    const rule = findRule(types, mimeType)
    if (!rule) throw new AppError('media_type_not_allowed', { mimeType, allowed: types.map(({ pattern }) => pattern) })
    return Math.min(rule.maxSizeBytes ?? maxSizeBytes, maxSizeBytes)
  }

  /** Throws `media_type_not_allowed`, `payload_too_large`. */
  assertFile({ mimeType, sizeBytes }: { mimeType: string; sizeBytes: number }): void {
    const maxSizeBytes = this.maxSizeOf(mimeType)
    if (sizeBytes > maxSizeBytes) throw new AppError('payload_too_large', { maxSizeBytes, mimeType })
  }

  /** Throws `too_many_pixels`. */
  assertPixels({ widthPx, heightPx }: ImageSize): void {
    const maxPixels = this.#config.maxImagePixels
    if (widthPx * heightPx > maxPixels) throw new AppError('too_many_pixels', { widthPx, heightPx, maxPixels })
  }
}

function findRule(rules: readonly UploadTypeRule[], mimeType: string): UploadTypeRule | undefined {
  const byKind = `${mimeType.split('/')[0]}/*`
  for (const pattern of [mimeType, byKind, '*/*']) {
    const rule = rules.find((candidate) => candidate.pattern === pattern)
    if (rule) return rule
  }
  return undefined
}

import type { ThumbnailFormat } from '../../media/make-thumbnails.ts'

/** Smallest files first: the order among formats a viewer likes equally and that are equally at hand. */
const BY_SIZE: ThumbnailFormat[] = ['avif', 'webp', 'jpeg']

/**
 * The format to answer with, by the weights of an Accept header (RFC 9110 §12.5.1). Among equals a stored one is taken:
 * a browser names all it can show, and that alone is no reason to make another. A viewer that names no picture format
 * gets what is stored.
 */
export function chooseFormat(accept: string | undefined, stored: ThumbnailFormat[]): ThumbnailFormat {
  const weights = weightsOf(accept ?? '*/*')
  const ranked = BY_SIZE.map((format) => ({
    format,
    weight: weights.get(`image/${format}`) ?? weights.get('image/*') ?? weights.get('*/*') ?? 0,
    isStored: stored.includes(format)
  })).sort((a, b) => b.weight - a.weight || Number(b.isStored) - Number(a.isStored))
  const best = ranked[0]
  if (best && best.weight > 0) return best.format
  return BY_SIZE.find((format) => stored.includes(format)) ?? 'webp'
}

function weightsOf(accept: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const item of accept.slice(0, 2000).split(',')) {
    const [type = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
    const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    const weight = q === undefined ? 1 : Number(q)
    if (weight >= 0 && weight <= 1) weights.set(type, weight)
  }
  return weights
}

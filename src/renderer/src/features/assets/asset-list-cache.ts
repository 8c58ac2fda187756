import type { InfiniteData } from '@tanstack/react-query'
import type { AssetSummary } from '../../../../shared/api/assets.ts'

type Page = { items: AssetSummary[]; nextCursor: string | null }
export type AssetPages = InfiniteData<Page, string | null>

/** What a list is sorted by: the time of binning in the bin, elsewhere the time of capture. */
function listedAt({ binnedAt, takenAt }: AssetSummary): string {
  return binnedAt ?? takenAt
}

/** The daemon's order: newest first, and by id among assets of the same moment. */
export function compareAssets(a: AssetSummary, b: AssetSummary): number {
  if (listedAt(a) !== listedAt(b)) return listedAt(a) < listedAt(b) ? 1 : -1
  if (a.id === b.id) return 0
  return a.id < b.id ? 1 : -1
}

/** The pages without these assets; the same object when they are in none. */
export function withoutAssets(data: AssetPages, assetIds: ReadonlySet<string>): AssetPages {
  if (!data.pages.some((page) => page.items.some(({ id }) => assetIds.has(id)))) return data
  return {
    ...data,
    pages: data.pages.map((page) => ({ ...page, items: page.items.filter(({ id }) => !assetIds.has(id)) }))
  }
}

/**
 * The pages with the newest state of this asset at its place. An asset that comes after everything loaded, while there is more
 * to load, is left for its page.
 */
export function withAsset(data: AssetPages, asset: AssetSummary): AssetPages {
  const inPlace = data.pages.some((page) =>
    page.items.some((item) => item.id === asset.id && listedAt(item) === listedAt(asset))
  )
  if (inPlace)
    return {
      ...data,
      pages: data.pages.map((page) => ({
        ...page,
        items: page.items.map((item) => (item.id === asset.id ? asset : item))
      }))
    }

  const rest = withoutAssets(data, new Set([asset.id]))
  for (const [pageIndex, page] of rest.pages.entries()) {
    const at = page.items.findIndex((item) => compareAssets(asset, item) < 0)
    const fits = at >= 0 ? at : page.nextCursor === null ? page.items.length : -1
    if (fits >= 0)
      return {
        ...rest,
        pages: rest.pages.with(pageIndex, { ...page, items: page.items.toSpliced(fits, 0, asset) })
      }
  }
  return rest
}

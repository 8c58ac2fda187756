import type { InfiniteData } from '@tanstack/react-query'
import type { AssetSummary } from '../../../../shared/api/assets.ts'

type Page = { items: AssetSummary[]; nextCursor: string | null }
export type AssetPages = InfiniteData<Page, string | null>

/** The daemon's order: newest first, and by id among assets of the same moment. */
export function compareAssets(a: AssetSummary, b: AssetSummary): number {
  if (a.takenAt !== b.takenAt) return a.takenAt < b.takenAt ? 1 : -1
  if (a.id === b.id) return 0
  return a.id < b.id ? 1 : -1
}

/** The pages without this asset; the same object when it is in none. */
export function withoutAsset(data: AssetPages, assetId: string): AssetPages {
  if (!data.pages.some((page) => page.items.some(({ id }) => id === assetId))) return data
  return {
    ...data,
    pages: data.pages.map((page) => ({ ...page, items: page.items.filter(({ id }) => id !== assetId) }))
  }
}

/**
 * The pages with the newest state of this asset at its place. An asset that comes after everything loaded, while there is more
 * to load, is left for its page.
 */
export function withAsset(data: AssetPages, asset: AssetSummary): AssetPages {
  const inPlace = data.pages.some((page) =>
    page.items.some((item) => item.id === asset.id && item.takenAt === asset.takenAt)
  )
  if (inPlace)
    return {
      ...data,
      pages: data.pages.map((page) => ({
        ...page,
        items: page.items.map((item) => (item.id === asset.id ? asset : item))
      }))
    }

  const rest = withoutAsset(data, asset.id)
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

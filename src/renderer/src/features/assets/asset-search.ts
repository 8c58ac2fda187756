import { z } from 'zod'
import { type AssetDetail, type AssetSummary, assetKinds, tagSchema } from '../../../../shared/api/assets.ts'
import { daySchema } from '../../../../shared/api/common.ts'

/** The filters of the asset list as they stand in the address; one that makes no sense counts as not set. */
export const assetSearchSchema = z.object({
  device: z.string().min(1).max(128).optional().catch(undefined),
  day: daySchema.optional().catch(undefined),
  kind: z.enum(assetKinds).optional().catch(undefined),
  tag: tagSchema.optional().catch(undefined),
  text: z.string().trim().min(1).max(200).optional().catch(undefined)
})
export type AssetSearch = z.infer<typeof assetSearchSchema>

/** Whether any filter is set. */
export function isFiltered(search: AssetSearch): boolean {
  return Object.values(search).some((filter) => filter !== undefined)
}

/** Which assets a list shows: those in the bin, or the others; of them, those that the filters let through. */
export const assetScopeSchema = assetSearchSchema.extend({ bin: z.literal(true).optional() })
export type AssetScope = z.infer<typeof assetScopeSchema>

/** What decides whether a list shows an asset. */
export type ListedAsset = AssetSummary & Pick<AssetDetail, 'tags'>

/** Whether the list of this scope shows this asset; the same rule as the daemon's. */
export function belongsToList(scope: AssetScope, asset: ListedAsset): boolean {
  return (
    (asset.state === 'binned') === (scope.bin ?? false) &&
    (scope.device === undefined || asset.deviceId === scope.device) &&
    (scope.day === undefined || asset.takenDay === scope.day) &&
    (scope.kind === undefined || asset.kind === scope.kind) &&
    (scope.tag === undefined || asset.tags.includes(scope.tag)) &&
    hasWords(asset.name, scope.text)
  )
}

function hasWords(name: string, text = ''): boolean {
  const folded = name.toLowerCase()
  return text
    .toLowerCase()
    .split(/\s+/u)
    .every((word) => folded.includes(word))
}

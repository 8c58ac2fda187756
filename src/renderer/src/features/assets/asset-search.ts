import { z } from 'zod'
import { type AssetSummary, assetKinds } from '../../../../shared/api/assets.ts'
import { daySchema } from '../../../../shared/api/common.ts'

/** The filters of the asset list as they stand in the address; one that makes no sense counts as not set. */
export const assetSearchSchema = z.object({
  device: z.string().min(1).max(128).optional().catch(undefined),
  day: daySchema.optional().catch(undefined),
  kind: z.enum(assetKinds).optional().catch(undefined)
})
export type AssetSearch = z.infer<typeof assetSearchSchema>

/** Whether any filter is set. */
export function isFiltered(search: AssetSearch): boolean {
  return search.device !== undefined || search.day !== undefined || search.kind !== undefined
}

/** Whether the list with these filters shows this asset; the same rule as the daemon's. */
export function belongsToList(search: AssetSearch, asset: AssetSummary): boolean {
  return (
    asset.state !== 'binned' &&
    (search.device === undefined || asset.deviceId === search.device) &&
    (search.day === undefined || asset.takenDay === search.day) &&
    (search.kind === undefined || asset.kind === search.kind)
  )
}

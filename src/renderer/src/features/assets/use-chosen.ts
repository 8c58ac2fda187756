import { useState } from 'react'
import type { AssetSummary } from '../../../../shared/api/assets.ts'

/**
 * The active tile: the one that was moved to or opened last. When it leaves the list, the one that takes its place follows.
 */
export function useChosen(
  assets: readonly AssetSummary[],
  openId: string | null
): [string | null, (assetId: string) => void] {
  const [chosenId, choose] = useState<string | null>(null)
  const [lastOpenId, setLastOpenId] = useState<string | null>(null)
  /** Where in the list it was seen. */
  const [seen, setSeen] = useState<{ id: string; at: number } | null>(null)

  if (openId !== lastOpenId) {
    setLastOpenId(openId)
    if (openId !== null) choose(openId)
  } else if (chosenId !== null) {
    const at = assets.findIndex(({ id }) => id === chosenId)
    if (at >= 0) {
      if (seen?.id !== chosenId || seen.at !== at) setSeen({ id: chosenId, at })
    } else if (seen?.id === chosenId) {
      const next = assets[Math.min(seen.at, assets.length - 1)]
      if (next !== undefined) choose(next.id)
    }
  }
  return [chosenId, choose]
}

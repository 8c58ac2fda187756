import { useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { deleteAsset, restoreAsset } from '../../../../shared/api/assets.ts'
import { ApiError } from '../../../../shared/api-client.ts'
import { api } from '../../lib/api.ts'
import { assetInUse } from '../../lib/asset-in-use.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast, type Toast } from '../../lib/toasts.ts'
import { refreshAsset, removeAssets } from './assets.live.ts'

export type BinnableAsset = { id: string; name: string }

/**
 * Moves an asset to the bin, or out of it, at once and offers to take that back, instead of asking first. When the daemon
 * refuses, the asset returns to where it was and a message says why; one that several hold is asked about. `bin` answers whether
 * the asset is in the bin.
 */
export function useBinAsset(): {
  bin: (asset: BinnableAsset) => Promise<boolean>
  restore: (asset: BinnableAsset) => Promise<void>
} {
  const client = useQueryClient()
  const { t } = useTranslation()

  const bringBack = useCallback(
    async ({ id, name }: BinnableAsset, action?: Toast['action']) => {
      try {
        await api.call(restoreAsset, { params: { assetId: id } })
        showToast({ tone: 'info', text: t('bin.restored', { name }), ...(action && { action }) })
      } catch (error) {
        showToast({ tone: 'bad', text: t('bin.restoreFailed', { name, reason: problemText(t, error) }) })
      }
      await refreshAsset(client, id)
    },
    [client, t]
  )

  const bin = useCallback(
    async (asset: BinnableAsset) => {
      const { id, name } = asset
      removeAssets(client, new Set([id]))
      try {
        await api.call(deleteAsset, { params: { assetId: id }, query: { guard: 'true' } })
        showToast({
          tone: 'info',
          text: t('bin.moved', { name }),
          action: { label: t('bin.undo'), run: () => void bringBack(asset) }
        })
        return true
      } catch (error) {
        if (error instanceof ApiError && error.problem?.code === 'asset_in_use') assetInUse.set({ id, name })
        else showToast({ tone: 'bad', text: t('bin.failed', { name, reason: problemText(t, error) }) })
        await refreshAsset(client, id)
        return false
      }
    },
    [client, bringBack, t]
  )

  const restore = useCallback(
    (asset: BinnableAsset) => bringBack(asset, { label: t('bin.undo'), run: () => void bin(asset) }),
    [bin, bringBack, t]
  )

  return { bin, restore }
}

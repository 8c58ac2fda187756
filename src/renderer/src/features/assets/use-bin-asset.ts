import { useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { deleteAsset, restoreAsset } from '../../../../shared/api/assets.ts'
import { ApiError } from '../../../../shared/api-client.ts'
import { api } from '../../lib/api.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { patchAsset, refreshAsset, removeAsset } from './assets.live.ts'

export type BinnableAsset = { id: string; name: string }

/** How many references a refusal names; null when it does not. */
function referenceCount(error: unknown): number | null {
  if (!(error instanceof ApiError) || error.problem?.code !== 'asset_in_use') return null
  const references = error.problem.details?.['references']
  return Array.isArray(references) ? references.length : null
}

/**
 * Moves an asset to the bin at once and offers to take that back, instead of asking first. When the daemon refuses, the asset
 * returns to the list and a message says why.
 */
export function useBinAsset(): {
  bin: (asset: BinnableAsset) => Promise<void>
  restore: (asset: BinnableAsset) => Promise<void>
} {
  const client = useQueryClient()
  const { t } = useTranslation()

  const restore = useCallback(
    async ({ id, name }: BinnableAsset) => {
      try {
        patchAsset(client, await api.call(restoreAsset, { params: { assetId: id } }))
        showToast({ tone: 'info', text: t('bin.restored', { name }) })
      } catch (error) {
        showToast({ tone: 'bad', text: t('bin.restoreFailed', { name, reason: problemText(t, error) }) })
      }
    },
    [client, t]
  )

  const bin = useCallback(
    async (asset: BinnableAsset) => {
      const { id, name } = asset
      removeAsset(client, id)
      try {
        await api.call(deleteAsset, { params: { assetId: id }, query: { guard: 'true' } })
        showToast({
          tone: 'info',
          text: t('bin.moved', { name }),
          action: { label: t('bin.undo'), run: () => void restore(asset) }
        })
      } catch (error) {
        const count = referenceCount(error)
        showToast({
          tone: 'bad',
          text:
            count === null ? t('bin.failed', { name, reason: problemText(t, error) }) : t('bin.inUse', { name, count })
        })
        await refreshAsset(client, id)
      }
    },
    [client, restore, t]
  )

  return { bin, restore }
}

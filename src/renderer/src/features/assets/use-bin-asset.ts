import { useQueryClient } from '@tanstack/react-query'
import type { TFunction } from 'i18next'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { z } from 'zod'
import { deleteAsset, restoreAsset } from '../../../../shared/api/assets.ts'
import { referenceSchema } from '../../../../shared/api/references.ts'
import { ApiError } from '../../../../shared/api-client.ts'
import { api } from '../../lib/api.ts'
import { problemText } from '../../lib/problem-text.ts'
import { referenceText } from '../../lib/reference-text.ts'
import { showToast, type Toast } from '../../lib/toasts.ts'
import { refreshAsset, removeAssets } from './assets.live.ts'

/** More names than this do not fit into a message. */
const namedHolders = 3

export type BinnableAsset = { id: string; name: string }

const inUseSchema = z.object({ references: z.array(referenceSchema) })

/** Whose references a refusal names; null when it is another one. */
function holders(error: unknown): z.infer<typeof referenceSchema>[] | null {
  if (!(error instanceof ApiError) || error.problem?.code !== 'asset_in_use') return null
  return inUseSchema.safeParse(error.problem.details).data?.references ?? null
}

/** Why an asset was not removed: who uses it, or what else went wrong. */
function refusalText(t: TFunction, name: string, error: unknown): string {
  const references = holders(error)
  if (references === null) return t('bin.failed', { name, reason: problemText(t, error) })
  const others = references.length - namedHolders
  const named = references.slice(0, namedHolders).map((reference) => referenceText(t, reference))
  if (others > 0) named.push(t('bin.inUseOthers', { count: others }))
  return t('bin.inUse', { name, holders: named.join(t('bin.inUseSeparator')) })
}

/**
 * Moves an asset to the bin, or out of it, at once and offers to take that back, instead of asking first. When the daemon
 * refuses, the asset returns to where it was and a message says why.
 */
export function useBinAsset(): {
  bin: (asset: BinnableAsset) => Promise<void>
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
      } catch (error) {
        showToast({ tone: 'bad', text: refusalText(t, name, error) })
        await refreshAsset(client, id)
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

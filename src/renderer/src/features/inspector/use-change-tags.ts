import { useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { updateAsset } from '../../../../shared/api/asset-changes.ts'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { api } from '../../lib/api.ts'
import { assetQuery } from '../../lib/asset-query.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'

/**
 * Gives an asset other tags, at once, and offers to take it back where one was removed. When the daemon refuses, the tags return
 * and a message says why.
 */
export function useChangeTags(asset: AssetDetail): (tags: string[]) => Promise<void> {
  const client = useQueryClient()
  const { t } = useTranslation()
  const { id } = asset

  const send = useCallback(
    async (change: { add: string[]; remove: string[] }) => {
      const { queryKey } = assetQuery(id)
      await client.cancelQueries({ queryKey })
      client.setQueryData(queryKey, (shown) => shown && { ...shown, tags: tagsAfter(shown.tags, change) })
      try {
        client.setQueryData(queryKey, await api.call(updateAsset, { params: { assetId: id }, body: { tags: change } }))
        return true
      } catch (error) {
        showToast({ tone: 'bad', text: t('tags.failed', { reason: problemText(t, error) }) })
        void client.invalidateQueries({ queryKey })
        return false
      }
    },
    [client, id, t]
  )

  return async (tags) => {
    const add = tags.map((tag) => tag.trim()).filter((tag) => tag !== '' && !asset.tags.includes(tag))
    const remove = asset.tags.filter((tag) => !tags.includes(tag))
    if (add.length + remove.length === 0) return
    if ((await send({ add, remove })) && remove.length > 0)
      showToast({
        tone: 'info',
        text: t('tags.removed', { tags: remove.join(t('tags.separator')) }),
        action: { label: t('bin.undo'), run: () => void send({ add: remove, remove: add }) }
      })
  }
}

function tagsAfter(tags: string[], { add, remove }: { add: string[]; remove: string[] }): string[] {
  return [...new Set([...tags, ...add])].filter((tag) => !remove.includes(tag)).sort()
}

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { changeStoreSettings, revertStoreSettings, type StoreChoice } from '../../../../shared/api/settings.ts'
import { api } from '../../lib/api.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { storeSettingsQuery } from './settings.queries.ts'

/** Takes back what was chosen since the start. */
export function useRevertStore() {
  const { t } = useTranslation()
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => api.call(revertStoreSettings, {}),
    onSuccess: (settings) => {
      client.setQueryData(storeSettingsQuery.queryKey, settings)
      showToast({ tone: 'info', text: t('settings.store.undone') })
    },
    onError: (error) => showToast({ tone: 'bad', text: problemText(t, error) })
  })
}

/** Chooses a store; the message that says so can take it back. */
export function useChangeStore() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const revert = useRevertStore()
  return useMutation({
    mutationFn: (body: Partial<Record<StoreChoice, string | null>>) => api.call(changeStoreSettings, { body }),
    onSuccess: (settings) => {
      client.setQueryData(storeSettingsQuery.queryKey, settings)
      const action = { label: t('settings.store.undo'), run: () => revert.mutate() }
      showToast({ tone: 'info', text: t('settings.store.saved'), ...(settings.needsRestart && { action }) })
    }
  })
}

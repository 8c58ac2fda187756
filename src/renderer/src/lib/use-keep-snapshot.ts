import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { keepSnapshot } from '../../../shared/api/recordings.ts'
import { api } from './api.ts'
import { problemText } from './problem-text.ts'
import { showToast } from './toasts.ts'

/** Makes an asset of a picture: of a stream as it is now, or of its recording `at` a time. A message leads to it. */
export function useKeepSnapshot(sourceId: string) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: (at: string | undefined) =>
      api.call(keepSnapshot, { params: { sourceId }, body: at === undefined ? {} : { at } }),
    onSuccess: ({ asset: { id, name } }) =>
      showToast({
        tone: 'info',
        text: t('live.snapshotKept', { name }),
        open: () => void navigate({ to: '/assets/$assetId', params: { assetId: id } })
      }),
    onError: (error) => showToast({ tone: 'bad', text: t('live.snapshotFailed', { reason: problemText(t, error) }) })
  })
}

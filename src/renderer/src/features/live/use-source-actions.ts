import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { startRecording, stopRecording } from '../../../../shared/api/recordings.ts'
import { disableSource, enableSource, type MediaSource } from '../../../../shared/api/sources.ts'
import { createStreamAsset } from '../../../../shared/api/stream-assets.ts'
import { api } from '../../lib/api.ts'
import { problemText } from '../../lib/problem-text.ts'
import { invalidateSources } from '../../lib/sources-query.ts'
import { showToast } from '../../lib/toasts.ts'

/** What is done to a stream at once, without a question; a message says why it was not. */
export function useSourceActions({ id, name }: Pick<MediaSource, 'id' | 'name'>) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const navigate = useNavigate()
  const params = { sourceId: id }
  const readAgain = () => invalidateSources(client)

  const record = useMutation({
    mutationFn: (isOn: boolean) => api.call(isOn ? startRecording : stopRecording, { params }),
    onSuccess: (_status, isOn) => {
      if (isOn) return
      const action = { label: t('live.recordAgain'), run: () => record.mutate(true) }
      showToast({ tone: 'info', text: t('live.stopped', { name }), action })
    },
    onError: (error, isOn) =>
      showToast({
        tone: 'bad',
        text: t(isOn ? 'live.startFailed' : 'live.stopFailed', { name, reason: problemText(t, error) })
      }),
    onSettled: readAgain
  })

  const enable = useMutation({
    mutationFn: (isOn: boolean) => api.call(isOn ? enableSource : disableSource, { params }),
    onSuccess: (_source, isOn) =>
      showToast({
        tone: 'info',
        text: t(isOn ? 'live.enabled' : 'live.disabled', { name }),
        action: { label: t('bin.undo'), run: () => enable.mutate(!isOn) }
      }),
    onError: (error) =>
      showToast({ tone: 'bad', text: t('live.changeFailed', { name, reason: problemText(t, error) }) }),
    onSettled: readAgain
  })

  const makeAsset = useMutation({
    mutationFn: () => api.call(createStreamAsset, { body: { type: 'stream', source_id: id, name } }),
    onSuccess: (asset) =>
      showToast({
        tone: 'info',
        text: t('live.assetMade', { name }),
        open: () => void navigate({ to: '/assets/$assetId', params: { assetId: asset.id } })
      }),
    onError: (error) => showToast({ tone: 'bad', text: t('live.assetFailed', { name, reason: problemText(t, error) }) })
  })

  return { record, enable, makeAsset }
}

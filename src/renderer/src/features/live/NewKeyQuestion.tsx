import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { type MediaSource, replacePublishKey } from '../../../../shared/api/sources.ts'
import { Question } from '../../components/Question.tsx'
import { api } from '../../lib/api.ts'
import { problemText } from '../../lib/problem-text.ts'
import { invalidateSources } from '../../lib/sources-query.ts'
import { showToast } from '../../lib/toasts.ts'

/** Asks whether a stream shall get a new address to send to, which cuts off whoever sends to the present one. */
export function NewKeyQuestion({
  source: { id, name },
  onClose,
  onReplaced
}: {
  source: MediaSource
  onClose: () => void
  onReplaced: (source: MediaSource) => void
}) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const replace = useMutation({
    mutationFn: () => api.call(replacePublishKey, { params: { sourceId: id } }),
    onSuccess: onReplaced,
    onError: (error) => {
      showToast({ tone: 'bad', text: t('live.newKeyFailed', { name, reason: problemText(t, error) }) })
      onClose()
    },
    onSettled: () => invalidateSources(client)
  })
  return (
    <Question
      title={t('live.newKeyAsk', { name })}
      no={t('live.form.cancel')}
      onNo={onClose}
      yes={t('live.newKeyYes')}
      onYes={() => replace.mutate()}
      isBusy={replace.isPending}
    >
      <p>{t('live.newKeyText')}</p>
    </Question>
  )
}

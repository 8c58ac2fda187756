import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { deleteAsset } from '../../../../shared/api/assets.ts'
import { Question } from '../../components/Question.tsx'
import { api } from '../../lib/api.ts'
import { assetQuery } from '../../lib/asset-query.ts'
import { useFormats } from '../../lib/format.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { refreshAsset, removeAssets } from './assets.live.ts'

/** Asks whether an asset shall be deleted from the bin for good, and does it. */
export function PurgeQuestion({
  asset: { id, name },
  onClose,
  onPurged
}: {
  asset: { id: string; name: string }
  onClose: () => void
  onPurged?: () => void
}) {
  const { t } = useTranslation()
  const formats = useFormats()
  const client = useQueryClient()
  const detail = useQuery(assetQuery(id))
  const purge = useMutation({
    mutationFn: () => api.call(deleteAsset, { params: { assetId: id }, query: { permanent: 'true' } }),
    onSuccess: () => {
      onPurged?.()
      removeAssets(client, new Set([id]))
      showToast({ tone: 'info', text: t('bin.purged', { name }) })
    },
    onError: (error) => {
      showToast({ tone: 'bad', text: t('bin.purgeFailed', { name, reason: problemText(t, error) }) })
      return refreshAsset(client, id)
    },
    onSettled: onClose
  })
  return (
    <Question
      title={t('bin.purgeAsk', { name })}
      no={t('bin.keep')}
      onNo={onClose}
      yes={t('bin.purge')}
      onYes={detail.data ? () => purge.mutate() : null}
      isBusy={purge.isPending}
    >
      <p>
        {detail.data === undefined
          ? detail.isError
            ? problemText(t, detail.error)
            : t('app.loading')
          : detail.data.copies > 1
            ? t('bin.freesNothing')
            : t('bin.frees', { size: formats.bytes(detail.data.sizeBytes) })}
      </p>
      <p>{t('bin.cannotUndo')}</p>
    </Question>
  )
}

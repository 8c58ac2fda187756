import { Radio } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { z } from 'zod'
import { deleteSource, type MediaSource } from '../../../../shared/api/sources.ts'
import { ApiError } from '../../../../shared/api-client.ts'
import { AssetLink } from '../../components/AssetLink.tsx'
import { Question } from '../../components/Question.tsx'
import { api } from '../../lib/api.ts'
import { problemText } from '../../lib/problem-text.ts'
import { invalidateSources } from '../../lib/sources-query.ts'
import { showToast } from '../../lib/toasts.ts'
import classes from './DeleteSourceQuestion.module.css'

/** What a refusal tells of the assets that a stream is. */
const heldSchema = z.object({ assets: z.array(z.object({ id: z.string(), name: z.string() })) })

/** The assets that keep a stream from being deleted; null when something else does. */
function holdersIn(error: unknown): z.infer<typeof heldSchema>['assets'] | null {
  if (!(error instanceof ApiError) || error.problem?.code !== 'source_has_assets') return null
  return heldSchema.safeParse(error.problem.details).data?.assets ?? []
}

/** Asks whether a stream shall be deleted, and what becomes of its recordings. One that is an asset, too, names the assets instead. */
export function DeleteSourceQuestion({
  source: { id, name },
  onClose,
  onDeleted
}: {
  source: MediaSource
  onClose: () => void
  onDeleted: () => void
}) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [recordings, setRecordings] = useState<'keep' | 'delete'>('keep')
  const remove = useMutation({
    mutationFn: () => api.call(deleteSource, { params: { sourceId: id }, query: { recordings } }),
    onSuccess: () => {
      showToast({ tone: 'info', text: t('live.deleted', { name }) })
      onDeleted()
    },
    onError: (error) => {
      if (holdersIn(error) === null)
        showToast({ tone: 'bad', text: t('live.deleteFailed', { name, reason: problemText(t, error) }) })
    },
    onSettled: () => invalidateSources(client)
  })
  const holders = holdersIn(remove.error)
  const choice = { body: classes['choice'] ?? '' }
  return (
    <Question
      title={t('live.deleteAsk', { name })}
      no={t('live.deleteNo')}
      onNo={onClose}
      yes={t('live.deleteYes')}
      onYes={holders === null ? () => remove.mutate() : null}
      isBusy={remove.isPending}
    >
      {holders === null ? (
        <>
          <p>{t('live.deleteText')}</p>
          <Radio.Group
            label={t('live.deleteRecordings')}
            size="md"
            value={recordings}
            onChange={(value) => setRecordings(value === 'delete' ? 'delete' : 'keep')}
          >
            <div className={classes['choices']}>
              <Radio size="md" value="keep" classNames={choice} label={t('live.deleteKeep')} />
              <Radio size="md" value="delete" classNames={choice} label={t('live.deleteAll')} />
            </div>
          </Radio.Group>
          <p>{t('live.deleteClips')}</p>
        </>
      ) : (
        <div role="alert">
          <p>{t('live.hasAssets')}</p>
          <ul className={classes['holders']}>
            {holders.map((asset) => (
              <li key={asset.id}>
                <AssetLink assetId={asset.id} name={asset.name} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </Question>
  )
}

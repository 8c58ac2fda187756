import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { deleteAsset, restoreAsset } from '../../../../shared/api/assets.ts'
import { Question } from '../../components/Question.tsx'
import { ShowMore } from '../../components/ShowMore.tsx'
import { api } from '../../lib/api.ts'
import { assetInUse } from '../../lib/asset-in-use.ts'
import { useBinDays } from '../../lib/bin-time.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { useMay } from '../../lib/use-may.ts'
import classes from './ReferenceList.module.css'
import { ReferenceList } from './ReferenceList.tsx'
import { referencesQuery } from './references.queries.ts'

/** About an asset that was not removed because several hold it: who they are, and what can be done. */
export function InUseQuestion({ asset: { id, name } }: { asset: { id: string; name: string } }) {
  const { t } = useTranslation()
  const binDays = useBinDays()
  const mayForce = useMay('admin')
  const list = useInfiniteQuery(referencesQuery(id, { onlyHolding: true }))
  const holders = list.data?.pages.flatMap(({ items }) => items) ?? []
  const isHeldBySeveral = holders.length > 1
  const close = () => assetInUse.set(null)
  const params = { assetId: id }

  const bringBack = () =>
    api.call(restoreAsset, { params }).then(
      () => showToast({ tone: 'info', text: t('bin.restored', { name }) }),
      (error: unknown) =>
        showToast({ tone: 'bad', text: t('bin.restoreFailed', { name, reason: problemText(t, error) }) })
    )
  const bin = useMutation({
    mutationFn: () => api.call(deleteAsset, { params, query: isHeldBySeveral ? { force: 'true' } : { guard: 'true' } }),
    onSuccess: () => {
      const action = { label: t('bin.undo'), run: () => void bringBack() }
      showToast({ tone: 'info', text: t('bin.moved', { name }), action })
      close()
    },
    onError: (error) => showToast({ tone: 'bad', text: t('bin.failed', { name, reason: problemText(t, error) }) })
  })

  return (
    <Question
      title={t('references.inUse', { name })}
      no={t('bin.keep')}
      onNo={close}
      yes={t(isHeldBySeveral ? 'references.binAnyway' : 'inspector.moveToBin')}
      onYes={list.data && (mayForce || !isHeldBySeveral) ? () => bin.mutate() : null}
      isBusy={bin.isPending}
    >
      <p>{t('references.inUseText')}</p>
      {list.data ? (
        <div className={classes['scroll']}>
          <ReferenceList references={holders} />
          <ShowMore list={list} />
        </div>
      ) : (
        <p>{list.isError ? problemText(t, list.error) : t('app.loading')}</p>
      )}
      <p>
        {t(!isHeldBySeveral ? 'references.nowFree' : mayForce ? 'references.anywayText' : 'references.askAdmin', {
          count: binDays ?? 0
        })}
      </p>
    </Question>
  )
}

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { emptyBin, getBin } from '../../../../shared/api/lifecycle.ts'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { Question } from '../../components/Question.tsx'
import { api } from '../../lib/api.ts'
import { useFormats } from '../../lib/format.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { invalidateAssets } from './assets.live.ts'

/** Few enough that the bar moves and that it can be stopped. */
const filesPerStep = 100
const shortMs = 1000

/** Asks whether everything that is in the bin now shall be deleted for good, and does it step by step. */
export function EmptyBinQuestion({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const client = useQueryClient()
  const bin = useQuery({
    queryKey: [getBin.name],
    queryFn: ({ signal }) => api.call(getBin, {}, signal),
    // What is agreed to is what was shown.
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY
  })
  const [purged, setPurged] = useState(0)
  const wantsStop = useRef(false)
  const empty = useMutation({
    mutationFn: async (before: string) => {
      const sum = { purged: 0, freedBytes: 0 }
      for (;;) {
        const step = await api.call(emptyBin, { body: { before, limit: filesPerStep } })
        sum.purged += step.purged
        sum.freedBytes += step.freedBytes
        setPurged(sum.purged)
        if (!step.isMore || wantsStop.current) return sum
      }
    },
    onSuccess: (sum) =>
      showToast({
        tone: 'info',
        text: t('bin.emptied', {
          count: sum.purged,
          amount: formats.number(sum.purged),
          size: formats.bytes(sum.freedBytes)
        })
      }),
    onError: (error) => showToast({ tone: 'bad', text: t('bin.emptyFailed', { reason: problemText(t, error) }) }),
    onSettled: () => {
      invalidateAssets(client)
      onClose()
    }
  })
  const takesLong = useTakesLong(empty.isPending)
  const stop = () => {
    wantsStop.current = true
  }

  const total = bin.data?.assetTotal ?? 0
  return (
    <Question
      title={t('bin.emptyAsk')}
      no={empty.isPending ? t('bin.stop') : t('bin.keepAll', { count: total })}
      onNo={empty.isPending ? stop : onClose}
      yes={t('bin.empty')}
      onYes={bin.data ? () => empty.mutate(bin.data.at) : null}
      isBusy={empty.isPending}
    >
      {takesLong ? (
        <>
          <p>{t('bin.emptying', { done: formats.number(purged), total: formats.number(total) })}</p>
          <ProgressBar fraction={total === 0 ? null : Math.min(1, purged / total)} label={t('bin.empty')} />
        </>
      ) : bin.data ? (
        <p>
          {t('bin.emptyText', {
            count: total,
            amount: formats.number(total),
            size: formats.bytes(bin.data.freeableBytes)
          })}
        </p>
      ) : (
        <p>{bin.isError ? problemText(t, bin.error) : t('app.loading')}</p>
      )}
      <p>{t('bin.cannotUndo')}</p>
    </Question>
  )
}

function useTakesLong(isPending: boolean): boolean {
  const [takesLong, setTakesLong] = useState(false)
  useEffect(() => {
    if (!isPending) return
    const timer = setTimeout(() => setTakesLong(true), shortMs)
    return () => clearTimeout(timer)
  }, [isPending])
  return takesLong
}

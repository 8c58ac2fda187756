import { Button } from '@mantine/core'
import { IconShieldCheck } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { type Scrub, type Storage, startScrub } from '../../../../shared/api/storage.ts'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { Section } from '../../components/Section.tsx'
import { api } from '../../lib/api.ts'
import { useFormats } from '../../lib/format.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { useMay } from '../../lib/use-may.ts'
import { useNow } from '../../lib/use-now.ts'
import classes from './ScrubCard.module.css'
import { invalidateStorage } from './storage.live.ts'

/** Whether every stored file was read and compared, how far that is, and a button that begins it. */
export function ScrubCard({ scrub, storage }: { scrub: Scrub; storage: Storage }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const nowMs = useNow(60_000)
  const isWhole = storage.damagedAssets + storage.damagedOthers === 0
  return (
    <Section title={t('storage.scrub.title')} action={scrub.state === 'idle' && <StartScrub />}>
      {isWhole && scrub.finishedAt !== null && <p>{t('storage.scrub.whole')}</p>}
      <p>
        {scrub.finishedAt === null
          ? t('storage.scrub.never')
          : t('storage.scrub.finished', { ago: formats.ago(scrub.finishedAt, nowMs) })}
      </p>
      {storage.index?.copiedAt && (
        <p>{t('storage.scrub.indexCopied', { ago: formats.ago(storage.index.copiedAt, nowMs) })}</p>
      )}
      {scrub.state !== 'idle' && <Round scrub={scrub} />}
      {storage.damagedOthers > 0 && (
        <p>
          {t('storage.damaged.others', {
            count: storage.damagedOthers,
            amount: formats.number(storage.damagedOthers)
          })}
        </p>
      )}
    </Section>
  )
}

function Round({ scrub: { state, roundBytes, checkedBytes } }: { scrub: Scrub }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const label = t(state === 'waiting' ? 'storage.scrub.waiting' : 'storage.scrub.running')
  return (
    <div className={classes['round']}>
      <p>
        {label} {t('storage.scrub.progress', { done: formats.bytes(checkedBytes), all: formats.bytes(roundBytes) })}
      </p>
      <ProgressBar fraction={roundBytes === 0 ? null : Math.min(1, checkedBytes / roundBytes)} label={label} />
    </div>
  )
}

function StartScrub() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const mayStart = useMay('operator')
  const start = useMutation({
    mutationFn: () => api.call(startScrub, {}),
    onSuccess: () => showToast({ tone: 'info', text: t('storage.scrub.started') }),
    onError: (error) => showToast({ tone: 'bad', text: problemText(t, error) }),
    onSettled: () => invalidateStorage(client)
  })
  if (!mayStart) return null
  return (
    <Button
      variant="default"
      leftSection={<IconShieldCheck size={22} aria-hidden />}
      loading={start.isPending}
      onClick={() => start.mutate()}
    >
      {t('storage.scrub.start')}
    </Button>
  )
}

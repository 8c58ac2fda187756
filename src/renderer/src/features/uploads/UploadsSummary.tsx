import { Button } from '@mantine/core'
import {
  IconAlertOctagonFilled,
  IconAlertTriangleFilled,
  IconCircleCheckFilled,
  IconPlayerPause,
  IconPlayerPauseFilled,
  IconPlayerPlay,
  IconRefresh,
  IconUpload,
  IconX
} from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Callout } from '../../components/Callout.tsx'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { useFormats } from '../../lib/format.ts'
import { showToast } from '../../lib/toasts.ts'
import { busyStates, type UploadState, type UploadsSnapshot } from './engine/upload-item.ts'
import classes from './UploadsSummary.module.css'
import { uploads } from './uploads.ts'
import { uploadsVerdict } from './uploads-verdict.ts'

const toneIcons = {
  busy: IconUpload,
  ok: IconCircleCheckFilled,
  warn: IconAlertTriangleFilled,
  bad: IconAlertOctagonFilled,
  idle: IconPlayerPauseFilled
} as const

/** All uploads together: one sentence, one bar, and what can be done with all of them. */
export function UploadsSummary({ snapshot }: { snapshot: UploadsSnapshot }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const verdict = uploadsVerdict(snapshot)
  const { counts, hindrance, totalBytes, hereBytes, bytesPerSecond, remainingMs } = snapshot
  const VerdictIcon = toneIcons[verdict.tone]
  const isBusy = verdict.tone === 'busy'
  const duplicates = snapshot.items.filter(({ isDuplicate }) => isDuplicate).length
  return (
    <section className={classes['summary']} data-tone={verdict.tone} aria-label={t('uploads.summary')}>
      {hindrance && (
        <Callout tone="warn" title={t(`uploads.hindrance.${hindrance}`)}>
          {t('uploads.goesOn')}
        </Callout>
      )}
      <p className={classes['verdict']} data-testid="uploads-verdict">
        <VerdictIcon size={28} aria-hidden />
        {t(`uploads.verdict.${verdict.text}`, {
          count: verdict.count,
          amount: formats.number(verdict.count),
          here: formats.number(verdict.here)
        })}
      </p>
      <ProgressBar
        fraction={totalBytes === 0 ? (isBusy ? null : 1) : hereBytes / totalBytes}
        label={t('uploads.summary')}
        done={verdict.tone === 'ok'}
      />
      <p className={classes['facts']}>
        <span>{t('uploads.amount', { here: formats.bytes(hereBytes), total: formats.bytes(totalBytes) })}</span>
        {isBusy && bytesPerSecond !== null && !hindrance && <span>{formats.speed(bytesPerSecond)}</span>}
        {isBusy && remainingMs !== null && !hindrance && (
          <span>{t('uploads.timeLeft', { time: formats.span(remainingMs) })}</span>
        )}
        {duplicates > 0 && (
          <span>{t('uploads.duplicates', { count: duplicates, amount: formats.number(duplicates) })}</span>
        )}
        {isBusy && counts.failed > 0 && (
          <span className={classes['bad']}>
            {t('uploads.failed', { count: counts.failed, amount: formats.number(counts.failed) })}
          </span>
        )}
      </p>
      {counts.lost > 0 && <p className={classes['lost']}>{t('uploads.lostHow')}</p>}
      <Actions snapshot={snapshot} />
    </section>
  )
}

function Actions({ snapshot: { items, counts } }: { snapshot: UploadsSnapshot }) {
  const { t } = useTranslation()
  const withState = (fits: (state: UploadState) => boolean) =>
    items.filter(({ state }) => fits(state)).map(({ id }) => id)
  const busy = withState((state) => busyStates.has(state))
  const paused = withState((state) => state === 'paused')
  const failed = withState((state) => state === 'failed')
  const unfinished = withState((state) => state !== 'done')
  const cancelAll = () => {
    const undo = uploads.cancel(unfinished)
    showToast({
      tone: 'info',
      text: t('uploads.cancelledAll', { count: unfinished.length }),
      action: { label: t('bin.undo'), run: undo }
    })
  }
  return (
    <div className={classes['actions']}>
      {counts.lost > 0 && uploads.canReopen() && (
        <Button
          leftSection={<IconPlayerPlay size={22} aria-hidden />}
          onClick={() => void uploads.reopen({ mayAsk: true })}
        >
          {t('uploads.reopen')}
        </Button>
      )}
      {failed.length > 0 && (
        <Button leftSection={<IconRefresh size={22} aria-hidden />} onClick={() => uploads.resume(failed)}>
          {t('uploads.retryFailed')}
        </Button>
      )}
      {busy.length > 0 && (
        <Button
          variant="default"
          leftSection={<IconPlayerPause size={22} aria-hidden />}
          onClick={() => uploads.pause(busy)}
        >
          {t('uploads.pauseAll')}
        </Button>
      )}
      {paused.length > 0 && (
        <Button
          variant={busy.length > 0 ? 'default' : 'filled'}
          leftSection={<IconPlayerPlay size={22} aria-hidden />}
          onClick={() => uploads.resume(paused)}
        >
          {t('uploads.resumeAll')}
        </Button>
      )}
      {unfinished.length > 1 && (
        <Button variant="default" leftSection={<IconX size={22} aria-hidden />} onClick={cancelAll}>
          {t('uploads.cancelAll')}
        </Button>
      )}
      {counts.done > 0 && (
        <Button variant="default" onClick={() => uploads.clearDone()}>
          {t('uploads.clearDone')}
        </Button>
      )}
    </div>
  )
}

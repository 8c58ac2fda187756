import { ActionIcon, Tooltip } from '@mantine/core'
import {
  type Icon,
  IconAlertTriangleFilled,
  IconCircleCheck,
  IconCircleDashed,
  IconCopyCheck,
  IconFileSearch,
  IconFileUnknown,
  IconPlayerPause,
  IconPlayerPlay,
  IconRefresh,
  IconUpload,
  IconX
} from '@tabler/icons-react'
import type { TFunction } from 'i18next'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { AssetLink } from '../../components/AssetLink.tsx'
import { FileName } from '../../components/FileName.tsx'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { type Formats, useFormats } from '../../lib/format.ts'
import { problemCodeText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { busyStates, type UploadItem, type UploadState } from './engine/upload-item.ts'
import classes from './UploadRow.module.css'
import { uploads } from './uploads.ts'

const stateIcons: Readonly<Record<UploadState, Icon>> = {
  waiting: IconCircleDashed,
  checking: IconFileSearch,
  sending: IconUpload,
  finishing: IconUpload,
  paused: IconPlayerPause,
  lost: IconFileUnknown,
  failed: IconAlertTriangleFilled,
  done: IconCircleCheck
}

/** How one upload stands, in words. */
function stateText(t: TFunction, formats: Formats, { state, isDuplicate, problem, ...item }: UploadItem): string {
  if (state === 'failed') return problemCodeText(t, problem ?? 'internal_error')
  if (state === 'done' && isDuplicate) return t('uploads.state.duplicate')
  return t(`uploads.state.${state}`, {
    here: formats.bytes(item.sentBytes),
    total: formats.bytes(item.sizeBytes),
    percent: formats.percent(item.sizeBytes === 0 ? 0 : item.checkedBytes / item.sizeBytes)
  })
}

/** One upload: its name, how far it is, and what can be done with it. */
export const UploadRow = memo(function UploadRow({ item }: { item: UploadItem }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { id, name, folder, state, assetId } = item
  const StateIcon = item.isDuplicate ? IconCopyCheck : stateIcons[state]
  const moves = state === 'sending' || state === 'finishing' || (state === 'paused' && item.sentBytes > 0)
  return (
    <div className={classes['upload']} data-state={state}>
      <StateIcon size={24} className={classes['icon']} aria-hidden />
      <div className={classes['what']}>
        {assetId === null ? (
          <strong className={classes['name']}>
            <FileName name={name} />
          </strong>
        ) : (
          <AssetLink assetId={assetId} name={name} className={classes['asset']} />
        )}
        <span className={classes['facts']}>
          <span className={classes['state']}>{stateText(t, formats, item)}</span>
          {(state === 'waiting' || state === 'done') && <span>{formats.bytes(item.sizeBytes)}</span>}
          {folder !== '' && <span className={classes['folder']}>{folder}</span>}
        </span>
        {moves && (
          <div className={classes['bar']}>
            <ProgressBar fraction={item.sizeBytes === 0 ? null : item.sentBytes / item.sizeBytes} label={name} />
          </div>
        )}
      </div>
      <span className={classes['actions']}>
        {busyStates.has(state) && (
          <Act label={t('uploads.pause', { name })} icon={IconPlayerPause} onClick={() => uploads.pause([id])} />
        )}
        {state === 'paused' && (
          <Act label={t('uploads.resume', { name })} icon={IconPlayerPlay} onClick={() => uploads.resume([id])} />
        )}
        {state === 'failed' && (
          <Act label={t('uploads.retry', { name })} icon={IconRefresh} onClick={() => uploads.resume([id])} />
        )}
        {state !== 'done' && <Act label={t('uploads.cancel', { name })} icon={IconX} onClick={() => cancel(t, item)} />}
      </span>
    </div>
  )
})

function cancel(t: TFunction, { id, name }: UploadItem): void {
  const undo = uploads.cancel([id])
  showToast({ tone: 'info', text: t('uploads.cancelled', { name }), action: { label: t('bin.undo'), run: undo } })
}

function Act({ label, icon: ActIcon, onClick }: { label: string; icon: Icon; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={onClick}>
        <ActIcon size={24} />
      </ActionIcon>
    </Tooltip>
  )
}

import { ActionIcon, Button, Switch, Title, Tooltip } from '@mantine/core'
import { IconPlayerPlay, IconTool, IconTrash } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { deleteSegment, keepSegment, type RecordingSegment, repairSegment } from '../../../../shared/api/recordings.ts'
import { Question } from '../../components/Question.tsx'
import { api } from '../../lib/api.ts'
import { type Formats, useFormats } from '../../lib/format.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { useMay } from '../../lib/use-may.ts'
import { damageOf } from './damage.ts'
import { playableStartOf } from './playback-plan.ts'
import classes from './RecordingList.module.css'
import { RepairProgress } from './RepairProgress.tsx'
import { invalidateRecordings } from './recordings.queries.ts'
import { instantOf } from './timeline-view.ts'

/** A camera cuts a file every quarter of an hour or so; of shorter ones a day has very many. */
const shownAtOnce = 48

/** The files of a day, and what can be done with each. `onPlay` gets the time a file plays from. */
export function FileList({
  files,
  sourceId,
  onPlay
}: {
  files: readonly RecordingSegment[]
  sourceId: string
  onPlay: (atMs: number) => void
}) {
  const { t } = useTranslation()
  const [shown, setShown] = useState(shownAtOnce)
  const [toDelete, setToDelete] = useState<RecordingSegment | null>(null)
  if (files.length === 0) return null
  return (
    <section className={classes['section']} aria-labelledby="recording-files">
      <Title order={2} size="h4" id="recording-files">
        {t('recordings.files')}
      </Title>
      <p className={classes['muted']}>{t('recordings.filesHow')}</p>
      <ul className={classes['list']}>
        {files.slice(0, shown).map((file) => (
          <FileRow key={file.id} file={file} sourceId={sourceId} onPlay={onPlay} onDelete={() => setToDelete(file)} />
        ))}
      </ul>
      {files.length > shown && (
        <Button variant="default" onClick={() => setShown(shown + shownAtOnce)}>
          {t('recordings.filesMore')}
        </Button>
      )}
      {toDelete && <DeleteFileQuestion file={toDelete} sourceId={sourceId} onClose={() => setToDelete(null)} />}
    </section>
  )
}

function endOf({ start, duration }: RecordingSegment): string | null {
  return duration === null ? null : instantOf(Date.parse(start) + duration * 1000)
}

function FileRow({
  file,
  sourceId,
  onPlay,
  onDelete
}: {
  file: RecordingSegment
  sourceId: string
  onPlay: (atMs: number) => void
  onDelete: () => void
}) {
  const { t } = useTranslation()
  const formats = useFormats()
  const client = useQueryClient()
  const mayChange = useMay('operator')
  const [jobId, setJobId] = useState<string | null>(null)
  const params = { sourceId, segmentId: file.id }
  const time = formats.time(file.start)
  const end = endOf(file)
  const keep = useMutation({
    mutationFn: (isKept: boolean) => api.call(keepSegment, { params, body: { is_kept: isKept } }),
    onError: (error) => showToast({ tone: 'bad', text: t('recordings.keepFailed', { reason: problemText(t, error) }) }),
    onSettled: () => invalidateRecordings(client, sourceId)
  })
  const repair = useMutation({
    mutationFn: () => api.call(repairSegment, { params }),
    onSuccess: (job) => setJobId(job.jobId),
    onError: (error) =>
      showToast({ tone: 'bad', text: t('recordings.repairFailed', { reason: problemText(t, error) }) })
  })
  return (
    <li className={classes['row']} data-testid="recording-file" data-state={file.state}>
      <div className={classes['what']}>
        <strong>
          {file.state === 'open' || end === null
            ? t('recordings.fileOpen', { from: time })
            : t('recordings.fileTime', { from: time, to: formats.time(end) })}
        </strong>
        <span className={file.state === 'damaged' ? classes['bad'] : classes['muted']}>
          {factsOf(formats, file, t(`recordings.state.${file.state}`))}
        </span>
        {file.problem !== null && (
          <span className={classes['muted']}>
            {t(`recordings.damage.${damageOf(file.problem)}`)} {t('recordings.reported', { message: file.problem })}
          </span>
        )}
        {jobId !== null && file.state === 'damaged' && (
          <RepairProgress
            jobId={jobId}
            onDone={() => {
              setJobId(null)
              void invalidateRecordings(client, sourceId)
            }}
          />
        )}
      </div>
      <span className={classes['actions']}>
        {mayChange && file.state === 'damaged' && jobId === null && (
          <Button
            loading={repair.isPending}
            leftSection={<IconTool size={22} aria-hidden />}
            aria-label={t('recordings.repairLabel', { time })}
            onClick={() => repair.mutate()}
          >
            {t('recordings.repair')}
          </Button>
        )}
        {mayChange && (
          <Switch
            size="lg"
            className={classes['keep']}
            label={t('recordings.keep')}
            aria-label={t('recordings.keepLabel', { time })}
            checked={keep.isPending ? keep.variables : file.is_kept}
            onChange={(event) => keep.mutate(event.currentTarget.checked)}
          />
        )}
        <Tooltip label={t('recordings.playFile', { time })}>
          <ActionIcon
            variant="default"
            aria-label={t('recordings.playFile', { time })}
            onClick={() => onPlay(playableStartOf(file))}
          >
            <IconPlayerPlay size={24} />
          </ActionIcon>
        </Tooltip>
        {mayChange && file.state !== 'open' && (
          <Tooltip label={t('recordings.deleteLabel', { time })}>
            <ActionIcon variant="default" aria-label={t('recordings.deleteLabel', { time })} onClick={onDelete}>
              <IconTrash size={24} />
            </ActionIcon>
          </Tooltip>
        )}
      </span>
    </li>
  )
}

function factsOf(formats: Formats, { duration, size_bytes: size }: RecordingSegment, state: string): string {
  return [
    state,
    ...(duration === null ? [] : [formats.clock(duration * 1000)]),
    ...(size === null ? [] : [formats.bytes(size)])
  ].join(' · ')
}

/** Asked because there is no way back. */
function DeleteFileQuestion({
  file,
  sourceId,
  onClose
}: {
  file: RecordingSegment
  sourceId: string
  onClose: () => void
}) {
  const { t } = useTranslation()
  const formats = useFormats()
  const client = useQueryClient()
  const remove = useMutation({
    mutationFn: () => api.call(deleteSegment, { params: { sourceId, segmentId: file.id } }),
    onSuccess: () => showToast({ tone: 'info', text: t('recordings.deleted') }),
    onError: (error) =>
      showToast({ tone: 'bad', text: t('recordings.deleteFailed', { reason: problemText(t, error) }) }),
    onSettled: () => {
      onClose()
      return invalidateRecordings(client, sourceId)
    }
  })
  return (
    <Question
      title={t('recordings.deleteAsk', { from: formats.dateTime(file.start) })}
      no={t('recordings.deleteNo')}
      onNo={onClose}
      yes={t('recordings.delete')}
      onYes={() => remove.mutate()}
      isBusy={remove.isPending}
    >
      <p>
        {file.size_bytes === null
          ? t('recordings.deleteTextNoSize')
          : t('recordings.deleteText', { size: formats.bytes(file.size_bytes) })}
      </p>
    </Question>
  )
}

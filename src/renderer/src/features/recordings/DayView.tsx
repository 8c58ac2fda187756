import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { useScreenKeys } from '../../lib/use-screen-keys.ts'
import { ClipMaker } from './ClipMaker.tsx'
import classes from './DayView.module.css'
import { FileList } from './FileList.tsx'
import { jumpMs, type Marks, mark, noMarks, spansOf } from './playback-plan.ts'
import { RecordingStage } from './RecordingStage.tsx'
import type { Recorded } from './recorded.ts'
import { recordingFilesQuery, recordingSessionsQuery } from './recordings.queries.ts'
import { Timeline } from './Timeline.tsx'
import type { Stretch } from './timeline-view.ts'
import { useRecordingPlayer } from './use-recording-player.ts'

/** A day (`bounds`) of a stream: its recordings to play and to cut from, by the clock, and the files they are in. */
export function DayView({
  source,
  bounds,
  marks,
  onMarks
}: {
  source: Recorded
  bounds: Stretch
  marks: Marks
  onMarks: (marks: Marks) => void
}) {
  const { t } = useTranslation()
  const sessions = useQuery(recordingSessionsQuery(source.id, bounds))
  const files = useQuery(recordingFilesQuery(source.id, bounds))
  const { startMs, endMs } = bounds
  // The player is told of other spans only when there are some.
  const spans = useMemo(() => spansOf(sessions.data ?? [], { startMs, endMs }), [sessions.data, startMs, endMs])
  const video = useRef<HTMLVideoElement>(null)
  const player = useRecordingPlayer(video, source.id, spans)
  const markAt = (end: 'in' | 'out') => {
    // On a day without recordings no time is shown.
    if (spans.length > 0) onMarks(mark(marks, end, Math.round(player.now())))
  }
  const playFrom = (atMs: number) => {
    player.playFrom(atMs)
    video.current?.scrollIntoView({ block: 'nearest' })
  }

  useScreenKeys([
    ['ArrowLeft', () => player.step(-jumpMs)],
    ['ArrowRight', () => player.step(jumpMs)],
    ['i', () => markAt('in')],
    ['o', () => markAt('out')]
  ])
  // On a button, Space presses it.
  useScreenKeys([['space', player.toggle]], ['INPUT', 'TEXTAREA', 'SELECT', 'BUTTON', 'A', 'SUMMARY'])

  if (sessions.isPending) return <Skeleton height={320} radius="lg" />
  if (sessions.data === undefined) return <QueryFailure error={sessions.error} retry={() => void sessions.refetch()} />
  if (spans.length === 0) return <p className={classes['empty']}>{t('recordings.dayEmpty')}</p>
  return (
    <div className={classes['day']}>
      <div className={classes['watch']}>
        <RecordingStage video={video} source={source} player={player} spans={spans} files={files.data ?? []} />
        <Timeline
          bounds={bounds}
          spans={spans}
          damaged={damagedStretches(files.data ?? [])}
          marks={marks}
          atMs={player.atMs}
          onSeek={player.seek}
          onStep={player.step}
        />
      </div>
      <ClipMaker sourceId={source.id} marks={marks} onMark={markAt} onClear={() => onMarks(noMarks)} />
      {files.data ? (
        <FileList files={files.data} sourceId={source.id} onPlay={playFrom} />
      ) : (
        files.isError && <QueryFailure error={files.error} retry={() => void files.refetch()} />
      )}
    </div>
  )
}

function damagedStretches(files: readonly { start: string; duration: number | null; state: string }[]): Stretch[] {
  return files
    .filter(({ state }) => state === 'damaged')
    .map(({ start, duration }) => {
      const startMs = Date.parse(start)
      return { startMs, endMs: startMs + (duration ?? 0) * 1000 }
    })
}

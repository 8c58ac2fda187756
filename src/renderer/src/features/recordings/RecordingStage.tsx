import { Button, Loader, Tooltip } from '@mantine/core'
import {
  IconCamera,
  IconMaximize,
  IconMinimize,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconRewindBackward10,
  IconRewindForward10
} from '@tabler/icons-react'
import { type ReactNode, type RefObject, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { RecordingSegment } from '../../../../shared/api/recordings.ts'
import { useFormats } from '../../lib/format.ts'
import { useFullScreen } from '../../lib/use-full-screen.ts'
import { useKeepSnapshot } from '../../lib/use-keep-snapshot.ts'
import { useMay } from '../../lib/use-may.ts'
import { PlaybackFailure } from './PlaybackFailure.tsx'
import { jumpMs, type Span, startAfter } from './playback-plan.ts'
import classes from './RecordingStage.module.css'
import type { Recorded } from './recorded.ts'
import { instantOf } from './timeline-view.ts'
import type { ShownPlayer } from './use-recording-player.ts'

/** The picture of a recording with the time it shows, and what can be done with it. */
export function RecordingStage({
  video,
  source,
  player,
  spans,
  files
}: {
  video: RefObject<HTMLVideoElement | null>
  source: Recorded
  player: ShownPlayer
  spans: readonly Span[]
  files: readonly RecordingSegment[]
}) {
  const { t } = useTranslation()
  const formats = useFormats()
  const stage = useRef<HTMLDivElement>(null)
  const shown = instantOf(player.atMs)
  const after = player.state === 'failed' ? startAfter(files, spans, player.atMs) : null
  return (
    <div ref={stage} className={classes['stage']} data-testid="recording-stage" data-state={player.state}>
      <div className={classes['picture']}>
        {/* biome-ignore lint/a11y/useMediaCaption: aerial footage carries no speech */}
        <video
          ref={video}
          className={classes['video']}
          aria-label={t('recordings.player', { name: source.name })}
          preload="auto"
          playsInline
          onClick={player.toggle}
        />
        {player.state === 'failed' ? (
          <PlaybackFailure
            key={player.atMs}
            sourceId={source.id}
            atMs={player.atMs}
            onRetry={() => player.seek(player.atMs)}
            onGoOn={after === null ? null : () => player.playFrom(after)}
          />
        ) : (
          <Notice player={player} />
        )}
      </div>
      <div className={classes['tools']}>
        <Tool label={t('recordings.back')} onClick={() => player.step(-jumpMs)}>
          <IconRewindBackward10 size={26} />
        </Tool>
        <Tool label={t(player.isPlaying ? 'recordings.pause' : 'recordings.play')} onClick={player.toggle}>
          {player.isPlaying ? <IconPlayerPauseFilled size={26} /> : <IconPlayerPlayFilled size={26} />}
        </Tool>
        <Tool label={t('recordings.forward')} onClick={() => player.step(jumpMs)}>
          <IconRewindForward10 size={26} />
        </Tool>
        <time className={classes['time']} dateTime={shown} data-testid="recording-time">
          {formats.time(shown)}
        </time>
        <Keep source={source} now={player.now} />
        <FullScreen stage={stage} />
      </div>
    </div>
  )
}

function Tool({ label, onClick, children }: { label: string; onClick: () => void; children: ReactNode }) {
  return (
    <Tooltip label={label}>
      <Button variant="transparent" className={classes['tool']} aria-label={label} onClick={onClick}>
        {children}
      </Button>
    </Tooltip>
  )
}

function Keep({ source, now }: { source: Recorded; now: () => number }) {
  const { t } = useTranslation()
  const mayKeep = useMay('operator')
  const keep = useKeepSnapshot(source.id)
  if (!mayKeep) return null
  return (
    <Button
      variant="transparent"
      className={classes['tool']}
      loading={keep.isPending}
      leftSection={<IconCamera size={24} aria-hidden />}
      onClick={() => keep.mutate(instantOf(now()))}
    >
      {t('recordings.snapshot')}
    </Button>
  )
}

function FullScreen({ stage }: { stage: RefObject<HTMLElement | null> }) {
  const { t } = useTranslation()
  const { isFull, isPossible, toggle } = useFullScreen(stage)
  if (!isPossible) return null
  return (
    <Tool label={t(isFull ? 'recordings.leaveFullscreen' : 'recordings.fullscreen')} onClick={toggle}>
      {isFull ? <IconMinimize size={24} /> : <IconMaximize size={24} />}
    </Tool>
  )
}

/** What the picture does not tell by itself. */
function Notice({ player: { state, gap } }: { player: ShownPlayer }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const timeOf = (timeMs: number) => formats.time(instantOf(timeMs))
  if (state === 'loading')
    return (
      <div className={classes['notice']} role="status">
        <Loader color="white" aria-label={t('recordings.loading')} />
      </div>
    )
  const text =
    state === 'ended'
      ? t('recordings.ended')
      : state === 'caughtUp'
        ? t('recordings.openEnd')
        : gap !== null
          ? t('recordings.gapSkipped', { from: timeOf(gap.startMs), to: timeOf(gap.endMs) })
          : null
  if (text === null) return null
  return (
    <p className={classes['note']} role="status">
      {text}
    </p>
  )
}

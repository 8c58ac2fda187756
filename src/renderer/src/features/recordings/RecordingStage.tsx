import { Button, Loader, Tooltip } from '@mantine/core'
import {
  IconAlertTriangle,
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
import type { MediaSource } from '../../../../shared/api/sources.ts'
import { useFormats } from '../../lib/format.ts'
import { useFullScreen } from '../../lib/use-full-screen.ts'
import { useKeepSnapshot } from '../../lib/use-keep-snapshot.ts'
import { useMay } from '../../lib/use-may.ts'
import classes from './RecordingStage.module.css'
import type { ShownPlayer } from './use-recording-player.ts'

const jumpMs = 10_000

/** The picture of a recording with the time it shows, and what can be done with it. */
export function RecordingStage({
  video,
  source,
  player,
  files
}: {
  video: RefObject<HTMLVideoElement | null>
  source: MediaSource
  player: ShownPlayer
  files: readonly RecordingSegment[]
}) {
  const { t } = useTranslation()
  const formats = useFormats()
  const stage = useRef<HTMLDivElement>(null)
  const shown = new Date(player.atMs).toISOString()
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
        <Notice player={player} files={files} />
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
        <Keep source={source} at={shown} />
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

function Keep({ source, at }: { source: MediaSource; at: string }) {
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
      onClick={() => keep.mutate(at)}
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
function Notice({ player, files }: { player: ShownPlayer; files: readonly RecordingSegment[] }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const timeOf = (timeMs: number) => formats.time(new Date(timeMs).toISOString())
  const { state, gap, atMs } = player
  if (state === 'loading')
    return (
      <div className={classes['notice']} role="status">
        <Loader color="white" aria-label={t('recordings.loading')} />
      </div>
    )
  if (state === 'failed') {
    const after = files.find(({ start }) => Date.parse(start) > atMs)
    return (
      <div className={classes['notice']} role="alert">
        <IconAlertTriangle size={44} aria-hidden />
        <p>{t('recordings.unplayable')}</p>
        <div className={classes['choices']}>
          <Button variant="default" onClick={() => player.seek(atMs)}>
            {t('app.retry')}
          </Button>
          {after && <Button onClick={() => player.seek(Date.parse(after.start))}>{t('recordings.goOnAfter')}</Button>}
        </div>
      </div>
    )
  }
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

import { Button, Loader, Tooltip } from '@mantine/core'
import {
  IconCamera,
  IconMaximize,
  IconMinimize,
  IconPlugConnectedX,
  IconVolume,
  IconVolumeOff
} from '@tabler/icons-react'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { type RefObject, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type MediaSource, previewSource, type StreamStatus } from '../../../../shared/api/sources.ts'
import { api } from '../../lib/api.ts'
import { useFormats } from '../../lib/format.ts'
import { problemCodeText } from '../../lib/problem-text.ts'
import { useFullScreen } from '../../lib/use-full-screen.ts'
import { useKeepSnapshot } from '../../lib/use-keep-snapshot.ts'
import { useMay } from '../../lib/use-may.ts'
import { openHls } from './play-hls.ts'
import classes from './StreamStage.module.css'
import { createStreamPlayer, type PlayerState, type StreamPlayer } from './stream-player.ts'
import { canWatch, soundOf, type Way, waysFor } from './stream-truth.ts'
import { useSnapshot } from './use-snapshot.ts'
import { openWhep } from './whep.ts'

const latencyIntervalMs = 1000
const previewIntervalMs = 3000

/** The moving picture of a stream, how it gets here and how late, and what can be done with it. */
export function StreamStage({ source }: { source: MediaSource }) {
  const { t } = useTranslation()
  const stage = useRef<HTMLDivElement>(null)
  const video = useRef<HTMLVideoElement>(null)
  const [isMuted, setIsMuted] = useState(true)
  const { state, latencySeconds, hasNoWay } = useStream(video, source, !isMuted)
  const isPlaying = state.state === 'playing'
  const poster = useSnapshot(source.id, { isLive: false, isSeen: !isPlaying })
  return (
    <div ref={stage} className={classes['stage']} data-stage data-testid="stream-stage" data-state={state.state}>
      <div className={classes['picture']}>
        {poster.url !== null && !isPlaying && <img src={poster.url} alt="" className={classes['poster']} />}
        <video
          ref={video}
          className={classes['video']}
          data-hidden={!isPlaying || undefined}
          aria-label={t('live.player.video', { name: source.name })}
          muted={isMuted}
          autoPlay
          playsInline
          onVolumeChange={({ currentTarget }) => setIsMuted(currentTarget.muted)}
        />
        <Notice source={source} state={state} hasNoWay={hasNoWay} />
      </div>
      <div className={classes['tools']}>
        <WayNote state={state} latencySeconds={latencySeconds} />
        <Tools source={source} stage={stage} isMuted={isMuted} onMuted={setIsMuted} />
      </div>
    </div>
  )
}

/** The ways to a stream through the base itself, and which of them there are; asked for until there is one. */
const previewQuery = (sourceId: string) =>
  queryOptions({
    queryKey: [previewSource.name, sourceId],
    queryFn: ({ signal }) => api.call(previewSource, { params: { sourceId } }, signal),
    refetchInterval: ({ state: { data } }) => (data?.webrtc_url || data?.hls_url ? false : previewIntervalMs)
  })

/** Keeps `source` playing in `video` while it can be watched, unless this browser and the streaming service share no way (`hasNoWay`). */
function useStream(
  video: RefObject<HTMLVideoElement | null>,
  source: MediaSource,
  wantsSound: boolean
): { state: PlayerState; latencySeconds: number | null; hasNoWay: boolean } {
  const [state, setState] = useState<PlayerState>({ state: 'idle' })
  const [latencySeconds, setLatencySeconds] = useState<number | null>(null)
  const player = useRef<StreamPlayer>(null)
  const { data: preview } = useQuery(previewQuery(source.id))
  const isOff = { webrtc: preview?.webrtc_url === null, hls: preview?.hls_url === null }
  const tracks = useLatestTracks(source)
  const ways = waysFor(tracks, wantsSound, canReceive)
    .filter((way) => !isOff[way])
    .join(' ')
  const isPlaying = state.state === 'playing'
  // A picture that moves is true whatever the status says; that it ends is noticed by the player.
  const isWatchable = (canWatch(source) || (source.enabled && isPlaying)) && ways !== ''
  const hlsPath = preview?.hls_path
  const whepPath = preview?.whep_path

  useEffect(() => {
    if (video.current === null || !isWatchable || hlsPath === undefined || whepPath === undefined) return
    const made = createStreamPlayer({
      video: video.current,
      open: {
        webrtc: (element, signal) => openWhep(element, whepPath, signal),
        hls: (element, signal) => openHls(element, hlsPath, signal)
      },
      onState: setState
    })
    player.current = made
    made.play(ways.split(' ') as Way[])
    return () => made.stop()
  }, [video, hlsPath, whepPath, isWatchable, ways])

  useEffect(() => {
    if (!isPlaying) return
    const timer = setInterval(() => {
      player.current?.latencySeconds().then(setLatencySeconds, () => setLatencySeconds(null))
    }, latencyIntervalMs)
    return () => {
      clearInterval(timer)
      setLatencySeconds(null)
    }
  }, [isPlaying])

  return { state, latencySeconds, hasNoWay: preview !== undefined && ways === '' }
}

/** The tracks of a stream as they were last told: one status that fails or comes too early does not make it another stream. */
function useLatestTracks({ status }: MediaSource): StreamStatus['tracks'] {
  const latest = useRef<StreamStatus['tracks']>([])
  if (status !== null && status.tracks.length > 0) latest.current = status.tracks
  return latest.current
}

/** Whether this browser takes a kind of video by WebRTC. */
function canReceive(codec: string): boolean {
  if (typeof RTCRtpReceiver === 'undefined') return false
  const known = RTCRtpReceiver.getCapabilities('video')?.codecs ?? []
  return known.some(({ mimeType }) => mimeType.toLowerCase() === `video/${codec.toLowerCase()}`)
}

/** Why there is no moving picture; nothing while there is one. */
function Notice({ source, state, hasNoWay }: { source: MediaSource; state: PlayerState; hasNoWay: boolean }) {
  const { t } = useTranslation()
  const isThere = source.status !== null && canWatch(source)
  if (state.state === 'playing') return null
  if (state.state === 'connecting')
    return (
      <div className={classes['notice']} role="status">
        <Loader color="white" aria-hidden />
        <p>{t('live.player.connecting')}</p>
      </div>
    )
  return (
    <div className={classes['notice']} role="status">
      <IconPlugConnectedX size={48} stroke={1.5} aria-hidden />
      {state.state === 'broken' ? (
        <>
          {state.problem !== null && <p>{problemCodeText(t, state.problem)}</p>}
          <p>{t('live.player.again', { count: state.retryInMs / 1000 })}</p>
        </>
      ) : (
        <p>
          {t(!source.enabled ? 'live.player.off' : isThere && hasNoWay ? 'live.player.noWay' : 'live.player.nothing')}
        </p>
      )}
    </div>
  )
}

function WayNote({ state, latencySeconds }: { state: PlayerState; latencySeconds: number | null }) {
  const { t } = useTranslation()
  const formats = useFormats()
  if (state.state !== 'playing') return <span className={classes['way']} />
  return (
    <span className={classes['way']} data-testid="stream-way" data-way={state.way}>
      {t(`live.player.way.${state.way}`)}
      {latencySeconds !== null &&
        ` · ${
          latencySeconds < 1
            ? t('live.player.latencyTiny')
            : t('live.player.latency', { time: formats.span(latencySeconds * 1000) })
        }`}
    </span>
  )
}

function Tools({
  source,
  stage,
  isMuted,
  onMuted
}: {
  source: MediaSource
  stage: RefObject<HTMLElement | null>
  isMuted: boolean
  onMuted: (isMuted: boolean) => void
}) {
  const { t } = useTranslation()
  const mayKeep = useMay('operator')
  const keep = useKeepSnapshot(source.id)
  const { isFull, isPossible, toggle } = useFullScreen(stage)
  const { status } = source
  const isSilent = status !== null && status.tracks.length > 0 && soundOf(status.tracks) === undefined
  const soundLabel = t(isSilent ? 'live.player.noSound' : isMuted ? 'live.player.unmute' : 'live.player.mute')
  const fullLabel = t(isFull ? 'live.player.leaveFullscreen' : 'live.player.fullscreen')
  return (
    <>
      {mayKeep && (
        <Button
          variant="transparent"
          className={classes['tool']}
          loading={keep.isPending}
          disabled={status?.available !== true}
          leftSection={<IconCamera size={24} aria-hidden />}
          onClick={() => keep.mutate(undefined)}
        >
          {t('live.player.snapshot')}
        </Button>
      )}
      <Tooltip label={soundLabel}>
        <Button
          variant="transparent"
          className={classes['tool']}
          aria-label={soundLabel}
          disabled={isSilent}
          onClick={() => onMuted(!isMuted)}
        >
          {isMuted ? <IconVolumeOff size={24} /> : <IconVolume size={24} />}
        </Button>
      </Tooltip>
      {isPossible && (
        <Tooltip label={fullLabel}>
          <Button variant="transparent" className={classes['tool']} aria-label={fullLabel} onClick={toggle}>
            {isFull ? <IconMinimize size={24} /> : <IconMaximize size={24} />}
          </Button>
        </Tooltip>
      )}
    </>
  )
}

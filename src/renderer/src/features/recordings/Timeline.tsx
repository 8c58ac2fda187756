import { ActionIcon, Button, Tooltip, VisuallyHidden } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { IconChevronLeft, IconChevronRight, IconZoomIn, IconZoomOut } from '@tabler/icons-react'
import { type PointerEvent, type ReactNode, type RefObject, useEffect, useId, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useFormats } from '../../lib/format.ts'
import { useScreenKeys } from '../../lib/use-screen-keys.ts'
import { isRecorded, jumpMs, type Marks, type Span } from './playback-plan.ts'
import classes from './Timeline.module.css'
import {
  follow,
  holds,
  instantOf,
  pan,
  type Stretch,
  shareOf,
  sharesIn,
  spanOf,
  ticksIn,
  timeAt,
  viewOf,
  zoom
} from './timeline-view.ts'

const zoomStep = 2
/** Natural zoom per pixel of wheel: one notch of 100 px changes the span by about a fifth. */
const wheelZoomPerPx = 0.002
const panShare = 0.5
const roomForTickPx = 84
const minuteMs = 60_000
/** By the keys of a slider. Those to the left and right go everywhere, not only here. */
const stepsMs: Readonly<Record<string, number>> = {
  ArrowUp: jumpMs,
  ArrowDown: -jumpMs,
  PageUp: 600_000,
  PageDown: -600_000
}
/** The film tells its time several times a second: more than that was gone to. */
const playedOnMs = 2000

/**
 * When of a day something was recorded, and where in it one is. The track takes a time from where it is pressed or dragged to; the
 * scale above it is dragged to move what is shown, and the wheel zooms.
 */
export function Timeline({
  bounds,
  spans,
  damaged,
  marks,
  atMs,
  onSeek,
  onStep
}: {
  bounds: Stretch
  spans: readonly Span[]
  damaged: readonly Stretch[]
  marks: Marks
  atMs: number
  onSeek: (atMs: number) => void
  onStep: (deltaMs: number) => void
}) {
  const { t } = useTranslation()
  const formats = useFormats()
  const [view, setView] = useState(() => follow(viewOf(spans, bounds), atMs, bounds))
  const [scrubMs, setScrubMs] = useState<number | null>(null)
  const { ref: area, width } = useElementSize<HTMLDivElement>()
  const wheel = useRef<HTMLDivElement>(null)
  const shownMs = scrubMs ?? atMs
  const lastAtMs = useRef(atMs)
  const zoomBy = (factor: number) => setView(zoom(view, factor, atMs, bounds))
  const panBy = (share: number) => setView(pan(view, share * spanOf(view), bounds))
  useEffect(() => {
    const before = lastAtMs.current
    lastAtMs.current = atMs
    // While a time is chosen by hand, nothing moves under it; and who looks elsewhere is left there while the film goes on.
    if (scrubMs !== null || before === atMs) return
    const hasJumped = Math.abs(atMs - before) > playedOnMs
    setView((now) => (hasJumped || holds(now, before) ? follow(now, atMs, bounds) : now))
  }, [atMs, scrubMs, bounds])
  useWheel(wheel, (shareX, deltaX, deltaY) =>
    setView((before) =>
      deltaX === 0
        ? zoom(before, Math.exp(-deltaY * wheelZoomPerPx), timeAt(before, shareX), bounds)
        : pan(before, (deltaX / Math.max(1, width)) * spanOf(before), bounds)
    )
  )
  useScreenKeys([
    ['plus', () => zoomBy(zoomStep)],
    ['shift+plus', () => zoomBy(zoomStep)],
    ['=', () => zoomBy(zoomStep)],
    ['-', () => zoomBy(1 / zoomStep)],
    ['0', () => setView(bounds)]
  ])

  const textOf = (timeMs: number) => formats.time(instantOf(timeMs))
  const isDamaged = damaged.some(({ startMs, endMs }) => startMs <= shownMs && shownMs < endMs)
  const word = isDamaged ? 'damaged' : isRecorded(spans, shownMs) ? 'recorded' : 'gap'
  return (
    <section className={classes['timeline']} aria-label={t('recordings.timeline')}>
      <div ref={wheel} className={classes['area']}>
        <div ref={area}>
          <Scale view={view} width={width} onPan={(deltaMs) => setView(pan(view, deltaMs, bounds))} />
          <Track
            view={view}
            bounds={bounds}
            nowMs={shownMs}
            valueText={t(`recordings.timelineWord.${word}`, { time: textOf(shownMs) })}
            onScrub={setScrubMs}
            onSeek={onSeek}
            onStep={onStep}
          >
            {spans.map((span) => (
              <Piece key={span.startMs} view={view} stretch={span} kind={span.isOpen ? 'open' : 'recorded'} />
            ))}
            {damaged.map((stretch) => (
              <Piece key={stretch.startMs} view={view} stretch={stretch} kind="damaged" />
            ))}
            <MarkedPiece view={view} marks={marks} />
            <Cursor view={view} atMs={shownMs} label={scrubMs === null ? null : textOf(scrubMs)} />
          </Track>
        </div>
      </div>
      <div className={classes['tools']}>
        <Tool label={t('recordings.earlier')} icon={IconChevronLeft} onClick={() => panBy(-panShare)} />
        <Tool label={t('recordings.later')} icon={IconChevronRight} onClick={() => panBy(panShare)} />
        <Tool label={t('recordings.zoomOut')} icon={IconZoomOut} onClick={() => zoomBy(1 / zoomStep)} />
        <Tool label={t('recordings.zoomIn')} icon={IconZoomIn} onClick={() => zoomBy(zoomStep)} />
        <Button variant="default" onClick={() => setView(bounds)}>
          {t('recordings.wholeDay')}
        </Button>
        <Legend hasDamage={damaged.length > 0} isOpen={spans.some(({ isOpen }) => isOpen)} />
      </div>
    </section>
  )
}

function Tool({ label, icon: ToolIcon, onClick }: { label: string; icon: typeof IconZoomIn; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" aria-label={label} onClick={onClick}>
        <ToolIcon size={24} />
      </ActionIcon>
    </Tooltip>
  )
}

/** Round times; dragging it moves the view. */
function Scale({ view, width, onPan }: { view: Stretch; width: number; onPan: (deltaMs: number) => void }) {
  const formats = useFormats()
  const lastX = useRef<number | null>(null)
  const { stepMs, atMs } = ticksIn(view, Math.max(2, Math.floor(width / roomForTickPx)))
  const textOf = (timeMs: number) => {
    const instant = instantOf(timeMs)
    return stepMs < minuteMs ? formats.time(instant) : formats.minute(instant)
  }
  return (
    <div
      className={classes['scale']}
      aria-hidden
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        lastX.current = event.clientX
      }}
      onPointerMove={(event) => {
        if (lastX.current === null || width === 0) return
        onPan(((lastX.current - event.clientX) / width) * spanOf(view))
        lastX.current = event.clientX
      }}
      onPointerUp={() => {
        lastX.current = null
      }}
      onPointerCancel={() => {
        lastX.current = null
      }}
    >
      {atMs.map((tick) => (
        <span key={tick} className={classes['tick']} style={{ left: `${shareOf(view, tick) * 100}%` }}>
          {textOf(tick)}
        </span>
      ))}
    </div>
  )
}

function Track({
  view,
  bounds,
  nowMs,
  valueText,
  onScrub,
  onSeek,
  onStep,
  children
}: {
  view: Stretch
  bounds: Stretch
  nowMs: number
  valueText: string
  /** A time while it is being chosen; null when that is over. */
  onScrub: (atMs: number | null) => void
  onSeek: (atMs: number) => void
  onStep: (deltaMs: number) => void
  children: ReactNode
}) {
  const { t } = useTranslation()
  const helpId = useId()
  const isScrubbing = useRef(false)
  const timeOf = (event: PointerEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect()
    return timeAt(view, (event.clientX - left) / Math.max(1, width))
  }
  const stop = () => {
    isScrubbing.current = false
    onScrub(null)
  }
  return (
    <div
      className={classes['track']}
      role="slider"
      tabIndex={0}
      aria-label={t('recordings.timeShown')}
      aria-describedby={helpId}
      aria-valuemin={Math.round(bounds.startMs / 1000)}
      aria-valuemax={Math.round(bounds.endMs / 1000)}
      aria-valuenow={Math.round(nowMs / 1000)}
      aria-valuetext={valueText}
      data-testid="timeline-track"
      onPointerDown={(event) => {
        if (event.button !== 0) return
        event.currentTarget.setPointerCapture(event.pointerId)
        isScrubbing.current = true
        onScrub(timeOf(event))
      }}
      onPointerMove={(event) => {
        if (isScrubbing.current) onScrub(timeOf(event))
      }}
      onPointerUp={(event) => {
        if (!isScrubbing.current) return
        onSeek(timeOf(event))
        stop()
      }}
      onPointerCancel={stop}
      onKeyDown={(event) => {
        const stepMs = stepsMs[event.key]
        if (stepMs !== undefined) onStep(stepMs)
        else if (event.key === 'Home') onSeek(bounds.startMs)
        else if (event.key === 'End') onSeek(bounds.endMs)
        else return
        event.preventDefault()
      }}
    >
      {children}
      <VisuallyHidden id={helpId}>{t('recordings.timelineHelp')}</VisuallyHidden>
    </div>
  )
}

function Piece({
  view,
  stretch,
  kind
}: {
  view: Stretch
  stretch: Stretch
  kind: 'recorded' | 'open' | 'damaged' | 'marked'
}) {
  const shares = sharesIn(view, stretch)
  if (shares === null) return null
  return (
    <span
      className={classes['piece']}
      data-kind={kind}
      data-testid="timeline-piece"
      style={{ left: `${shares.from * 100}%`, width: `${(shares.to - shares.from) * 100}%` }}
    />
  )
}

/** The clip that is marked, or the one end of it that is. */
function MarkedPiece({ view, marks: { inMs, outMs } }: { view: Stretch; marks: Marks }) {
  if (inMs !== null && outMs !== null)
    return <Piece view={view} stretch={{ startMs: inMs, endMs: outMs }} kind="marked" />
  const only = inMs ?? outMs
  if (only === null || sharesIn(view, { startMs: only, endMs: only + 1 }) === null) return null
  return <span className={classes['mark']} style={{ left: `${shareOf(view, only) * 100}%` }} />
}

function Cursor({ view, atMs, label }: { view: Stretch; atMs: number; label: string | null }) {
  const share = shareOf(view, atMs)
  if (share < 0 || share > 1) return null
  return (
    <span className={classes['cursor']} style={{ left: `${share * 100}%` }}>
      {label !== null && (
        <span className={classes['bubble']} data-side={share > 0.5 ? 'left' : 'right'}>
          {label}
        </span>
      )}
    </span>
  )
}

function Legend({ hasDamage, isOpen }: { hasDamage: boolean; isOpen: boolean }) {
  const { t } = useTranslation()
  const kinds = ['recorded', ...(isOpen ? ['open' as const] : []), ...(hasDamage ? ['damaged' as const] : [])] as const
  return (
    <ul className={classes['legend']}>
      {kinds.map((kind) => (
        <li key={kind}>
          <span className={classes['sample']} data-kind={kind} aria-hidden />
          {t(`recordings.legend.${kind}`)}
        </li>
      ))}
    </ul>
  )
}

/** Tells of the wheel over an element, which then does not scroll the page: where (0 to 1), how far across and how far up. */
function useWheel(
  element: RefObject<HTMLElement | null>,
  onWheel: (shareX: number, deltaX: number, deltaY: number) => void
): void {
  const latest = useRef(onWheel)
  latest.current = onWheel
  useEffect(() => {
    const target = element.current
    if (target === null) return
    const listen = (event: WheelEvent) => {
      event.preventDefault()
      const { left, width } = target.getBoundingClientRect()
      const isAcross = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)
      const across = isAcross ? event.deltaX || event.deltaY : 0
      latest.current((event.clientX - left) / Math.max(1, width), across, isAcross ? 0 : event.deltaY)
    }
    target.addEventListener('wheel', listen, { passive: false })
    return () => target.removeEventListener('wheel', listen)
  }, [element])
}

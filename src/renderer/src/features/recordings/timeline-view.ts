/** A stretch of time in milliseconds since 1970. */
export interface Stretch {
  startMs: number
  endMs: number
}

/** The nearest look: finer than a person cuts. */
const leastSpanMs = 20_000
/** The nearest look that nobody asked for. */
const leastFitMs = 600_000
const secondMs = 1000
const minuteMs = 60_000
const hourMs = 3_600_000
/** What a clock is read by. */
const tickStepsMs = [
  ...[1, 2, 5, 10, 15, 30].map((amount) => amount * secondMs),
  ...[1, 2, 5, 10, 15, 30].map((amount) => amount * minuteMs),
  ...[1, 2, 3, 6, 12].map((amount) => amount * hourMs)
]

/** A time as the base takes it. */
export const instantOf = (timeMs: number) => new Date(timeMs).toISOString()

export const spanOf = ({ startMs, endMs }: Stretch) => endMs - startMs

/** A day by the clock of this computer, such as `2026-11-21`; 23 or 25 hours where the clock is put forward or back. */
export function dayStretch(day: string): Stretch {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  return { startMs: new Date(year, month - 1, date).getTime(), endMs: new Date(year, month - 1, date + 1).getTime() }
}

/** Moves what is shown so that it lies within `bounds`. */
function within(view: Stretch, bounds: Stretch): Stretch {
  const span = Math.min(spanOf(view), spanOf(bounds))
  const startMs = Math.min(Math.max(view.startMs, bounds.startMs), bounds.endMs - span)
  return { startMs, endMs: startMs + span }
}

/** A view of everything from the first of these, which are in order, to the last, with a little room around it. */
export function viewOf(stretches: readonly Stretch[], bounds: Stretch): Stretch {
  const startMs = stretches[0]?.startMs ?? bounds.startMs
  const endMs = stretches.at(-1)?.endMs ?? bounds.endMs
  const spare = Math.max((endMs - startMs) / 10, leastFitMs - (endMs - startMs))
  return within({ startMs: startMs - spare / 2, endMs: endMs + spare / 2 }, bounds)
}

/** Shows `factor` times less (more, below 1) around a time that keeps its place on the screen, as far as `bounds` let it. */
export function zoom(view: Stretch, factor: number, atMs: number, bounds: Stretch): Stretch {
  const span = Math.min(Math.max(spanOf(view) / factor, leastSpanMs), spanOf(bounds))
  const startMs = atMs - shareOf(view, atMs) * span
  return within({ startMs, endMs: startMs + span }, bounds)
}

/** Shows what lies `deltaMs` later. */
export function pan(view: Stretch, deltaMs: number, bounds: Stretch): Stretch {
  return within({ startMs: view.startMs + deltaMs, endMs: view.endMs + deltaMs }, bounds)
}

/** Whether a time is in view. */
export function holds(view: Stretch, atMs: number): boolean {
  return atMs >= view.startMs && atMs <= view.endMs
}

/** The same view while the time is in it, or it cannot come nearer; otherwise one that has it near its start. */
export function follow(view: Stretch, atMs: number, bounds: Stretch): Stretch {
  if (holds(view, atMs)) return view
  const moved = pan(view, atMs - view.startMs - spanOf(view) / 10, bounds)
  return moved.startMs === view.startMs && moved.endMs === view.endMs ? view : moved
}

/** Where a time lies in a view: 0 at its start, 1 at its end. */
export function shareOf(view: Stretch, atMs: number): number {
  return (atMs - view.startMs) / spanOf(view)
}

/** The time at such a share, kept within the view. */
export function timeAt(view: Stretch, share: number): number {
  return view.startMs + Math.min(Math.max(share, 0), 1) * spanOf(view)
}

/** What of a stretch is in view, as shares; null when nothing is. */
export function sharesIn(view: Stretch, { startMs, endMs }: Stretch): { from: number; to: number } | null {
  if (endMs <= view.startMs || startMs >= view.endMs) return null
  return { from: Math.max(0, shareOf(view, startMs)), to: Math.min(1, shareOf(view, endMs)) }
}

/** What the clock of this computer shows at a time, as if it hung in Greenwich. */
const localClock = (timeMs: number) => timeMs - new Date(timeMs).getTimezoneOffset() * minuteMs

/** The times in view, no more than `most`, at which the clock shows something round; `clock` gives what it shows. */
export function ticksIn(view: Stretch, most: number, clock = localClock): { stepMs: number; atMs: number[] } {
  const stepMs = tickStepsMs.find((step) => spanOf(view) / step <= most) ?? 24 * hourMs
  // Looked for again after each one: the clock may have been put forward or back meanwhile.
  const missing = (timeMs: number) => (stepMs - (clock(timeMs) % stepMs)) % stepMs
  const atMs: number[] = []
  for (let timeMs = Math.ceil(view.startMs); timeMs <= view.endMs; timeMs += missing(timeMs) || stepMs)
    if (missing(timeMs) === 0) atMs.push(timeMs)
  return { stepMs, atMs }
}

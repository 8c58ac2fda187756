import { type Authenticator, accessOf } from './authenticator.ts'
import { type Configuration, checkName, findPathConf } from './configuration.ts'
import { formatInstant, type Instant, parseGoDuration, parseInstant } from './go-values.ts'
import { type Answer, type Exchange, notFound } from './listener.ts'
import type { PathConf } from './path-conf.ts'
import { listSegments, type SegmentFile } from './record-path.ts'
import { orRefuse, Refusal, withPrefix } from './refusal.ts'
import { clipBytes, type ReadSegment, readSegment } from './segment-media.ts'

export interface PlaybackParts {
  configuration(): Configuration
  authenticator: Authenticator
}

/** What was recorded without an interruption. */
interface Span {
  startUs: number
  /** Of the time that was asked for, where the span is cut there. */
  offsetMinutes?: number
  endUs: number
}

/** The playback server: what was recorded when, and the recorded pictures themselves. */
export async function answerPlayback(parts: PlaybackParts, exchange: Exchange): Promise<Answer> {
  if (exchange.method !== 'GET' || !['/list', '/get'].includes(exchange.path)) return notFound
  const name = exchange.query.get('path') ?? ''
  orRefuse(400, () => checkName(name))
  await parts.authenticator.check(accessOf(exchange, 'playback', name))
  return exchange.path === '/list' ? list(parts, exchange, name) : get(parts, exchange, name)
}

function list(parts: PlaybackParts, exchange: Exchange, name: string): Answer {
  const conf = orRefuse(400, () => findPathConf(parts.configuration(), name))
  const start = instantIn(exchange.query, 'start')
  const endUs = instantIn(exchange.query, 'end')?.us ?? null
  const segments = segmentsBetween(conf, name, start?.us ?? null, endUs)
  const spans = orRefuse(500, () => {
    if (conf.recordFormat === 'mpegts') throw new Error('MPEG-TS format is not supported yet')
    return spansOf(segments)
  })
  const clipped = clip(spans, start, endUs)
  if (clipped.length === 0) throw noSegments()
  const host = exchange.headers.host ?? ''
  return { status: 200, body: clipped.map((span) => entryOf(span, name, host)) }
}

function entryOf({ startUs, offsetMinutes, endUs }: Span, name: string, host: string) {
  const start = formatInstant(startUs, offsetMinutes)
  const duration = (endUs - startUs) / 1e6
  const query = new URLSearchParams({ duration: String(duration), path: name, start })
  return { start, duration, url: `http://${host}/get?${query}` }
}

function clip(spans: Span[], start: Instant | null, endUs: number | null): Span[] {
  const [first, ...others] = spans
  let kept = spans
  if (start && first) {
    if (first.endUs < start.us) kept = others
    else if (first.startUs < start.us) {
      kept = [{ startUs: start.us, offsetMinutes: start.offsetMinutes, endUs: first.endUs }, ...others]
    }
  }
  const last = kept.at(-1)
  if (endUs !== null && last && last.endUs > endUs) kept = [...kept.slice(0, -1), { ...last, endUs }]
  return kept
}

function get(parts: PlaybackParts, exchange: Exchange, name: string): Answer {
  const startUs = orRefuse(400, () =>
    withPrefix('invalid start', () => parseInstant(exchange.query.get('start') ?? '').us)
  )
  const wantedUs = orRefuse(400, () =>
    withPrefix('invalid duration', () => durationUs(exchange.query.get('duration') ?? ''))
  )
  const format = exchange.query.get('format') || 'fmp4'
  if (format !== 'fmp4' && format !== 'mp4') throw new Refusal(400, `invalid format: ${format}`)
  const conf = orRefuse(400, () => findPathConf(parts.configuration(), name))
  const segments = segmentsBetween(conf, name, startUs, startUs + wantedUs)
  const [span] = orRefuse(400, () => {
    if (conf.recordFormat === 'mpegts') throw new Error('MPEG-TS format is not supported yet')
    return spansOf(segments)
  })
  const fromUs = Math.max(startUs, span?.startUs ?? 0)
  const untilUs = Math.min(startUs + wantedUs, span?.endUs ?? 0)
  if (untilUs <= fromUs) throw noSegments()
  return {
    status: 200,
    headers: { 'content-type': 'video/mp4', 'accept-ranges': 'none' },
    body: clipBytes(Math.ceil((untilUs - fromUs) / 1000), format)
  }
}

function durationUs(text: string): number {
  const seconds = text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(seconds) ? seconds * 1e6 : parseGoDuration(text) / 1000
}

/** The files that may hold something of a window, as the server picks them. */
function segmentsBetween(conf: PathConf, name: string, startUs: number | null, endUs: number | null): SegmentFile[] {
  const before = orRefuse(400, () => listSegments(conf, name)).filter(
    ({ startUs: at }) => endUs === null || at <= endUs
  )
  const first = before[0]
  if (!first) throw noSegments()
  if (startUs === null || startUs < first.startUs) return before
  const following = before.findIndex(({ startUs: at }) => at > startUs)
  return before.slice(following < 0 ? -1 : following - 1)
}

/** Reads all files and joins those that follow each other in one run; one that is damaged fails them all. */
function spansOf(segments: SegmentFile[]): Span[] {
  const spans: Span[] = []
  let previous: ReadSegment | null = null
  for (const { file, startUs } of segments) {
    const segment = readSegment(file)
    const endUs = startUs + segment.durationMs * 1000
    const last = spans.at(-1)
    if (last && previous && follows(previous, segment, startUs - last.endUs)) last.endUs = endUs
    else spans.push({ startUs, endUs })
    previous = segment
  }
  return spans
}

/** Files that tell no run are joined by their times, as those of old versions are. */
function follows(previous: ReadSegment, segment: ReadSegment, gapUs: number): boolean {
  if (previous.run === null && segment.run === null) return Math.abs(gapUs) <= 1e6
  return previous.run === segment.run && previous.number + 1 === segment.number
}

function instantIn(query: URLSearchParams, key: 'start' | 'end'): Instant | null {
  const text = query.get(key)
  return text ? orRefuse(400, () => withPrefix(`invalid ${key}`, () => parseInstant(text))) : null
}

const noSegments = () => new Refusal(404, 'no recording segments found')

import type { Lane } from '../../../../shared/api/field.ts'

/** What a person beside the drone wants to know of a lane at a glance; `tone` picks colour and sign. */
export interface LaneVerdict {
  tone: 'idle' | 'busy' | 'ok' | 'warn' | 'bad'
  text:
    | 'idle'
    | 'idleOffline'
    | 'receiving'
    | 'waiting'
    | 'allHere'
    | 'interrupted'
    | 'failed'
    | 'damaged'
    | 'damagedAlone'
  /** The number the text is about. */
  count: number
  /** Files that are in the base, sent now or before. */
  here: number
  seen: number
}

/** Lanes with something going on or wrong first; otherwise in the order they came. */
export function byUrgency(lanes: readonly Lane[]): Lane[] {
  const isCalm = (lane: Lane) => Number(['ok', 'idle'].includes(judgeLane(lane).tone))
  return lanes.toSorted((a, b) => isCalm(a) - isCalm(b))
}

/**
 * Judges a lane. A transfer under way comes first, then what needs a hand on the controller or a card to be kept, then what is
 * still to come; only a lane with nothing outstanding and nothing damaged is called done.
 */
export function judgeLane(lane: Lane): LaneVerdict {
  const here = lane.uploaded + lane.skipped
  const outstanding = Math.max(0, lane.seen - here - lane.failed)
  const verdict = (tone: LaneVerdict['tone'], text: LaneVerdict['text'], count: number): LaneVerdict => ({
    tone,
    text,
    count,
    here,
    seen: lane.seen
  })
  if (lane.online && lane.current?.state === 'uploading') return verdict('busy', 'receiving', outstanding)
  if (lane.failed > 0) return verdict('bad', 'failed', lane.failed)
  if (outstanding > 0 && !lane.online) return verdict('warn', 'interrupted', outstanding)
  if (lane.damaged > 0) return verdict('bad', here === 1 ? 'damagedAlone' : 'damaged', lane.damaged)
  if (outstanding > 0) return verdict('busy', 'waiting', outstanding)
  if (lane.seen > 0) return verdict('ok', 'allHere', here)
  return verdict('idle', lane.online ? 'idle' : 'idleOffline', 0)
}

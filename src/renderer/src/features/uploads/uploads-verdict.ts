import type { UploadsSnapshot } from './engine/upload-item.ts'

/** How all uploads stand in one sentence: which, in which tone. */
export interface UploadsVerdict {
  tone: 'busy' | 'ok' | 'warn' | 'bad' | 'idle'
  text: 'uploading' | 'allHere' | 'failed' | 'paused' | 'lost'
  /** What the sentence is about: those in that state, or all where it tells how many of them are here. */
  count: number
  here: number
}

/** What matters most comes first: work that goes on, then what needs a person, then the end. */
export function uploadsVerdict({ counts, items }: Pick<UploadsSnapshot, 'counts' | 'items'>): UploadsVerdict {
  const here = counts.done
  const total = items.length
  const of = (tone: UploadsVerdict['tone'], text: UploadsVerdict['text'], count: number) => ({
    tone,
    text,
    count,
    here
  })
  const busy = counts.waiting + counts.checking + counts.sending + counts.finishing
  if (busy > 0) return of('busy', 'uploading', total)
  if (counts.lost > 0) return of('warn', 'lost', counts.lost)
  if (counts.failed > 0) return of('bad', 'failed', counts.failed)
  if (counts.paused > 0) return of('idle', 'paused', total)
  return of('ok', 'allHere', here)
}

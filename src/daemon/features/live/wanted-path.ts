import type { PathConf } from '../../mediamtx/path-conf.ts'
import type { Source } from './sources.repository.ts'

/** How recordings are made, the same for all sources. */
export type RecordConf = Pick<
  PathConf,
  'recordPath' | 'recordFormat' | 'recordPartDuration' | 'recordSegmentDuration' | 'recordDeleteAfter'
> & {
  /** Whether there is room for recordings now. */
  mayRecord: () => boolean
}

/** Nobody has a name that ends so (RFC 6761 §6.4). */
const NOWHERE = 'rtsp://switched-off.invalid/'

/**
 * What the media server shall do for a source. One that is switched off keeps its path, because recordings can be played only while
 * there is one. That path is one to fetch from nowhere when somebody watches: it takes nobody who publishes and has nothing to show, also
 * on a server that asks nobody who may.
 */
export function wantedPath(source: Source, { mayRecord, ...recordConf }: RecordConf): PathConf {
  const { enabled, recordEnabled, url } = source
  const common: PathConf = { ...recordConf, overridePublisher: true, record: enabled && recordEnabled && mayRecord() }
  if (!enabled) return { ...common, source: NOWHERE, sourceOnDemand: true }
  if (url === null) return { ...common, source: 'publisher' }
  return {
    ...common,
    source: url,
    // Recording is no reason to fetch a stream; watching is.
    sourceOnDemand: source.onDemand && !recordEnabled,
    ...(source.protocol === 'rtsp' ? { rtspTransport: source.rtspTransport } : {}),
    ...(source.fingerprint === null ? {} : { sourceFingerprint: source.fingerprint })
  }
}

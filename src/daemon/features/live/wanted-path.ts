import type { PathConf } from '../../mediamtx/path-conf.ts'
import type { Source } from './sources.repository.ts'

/** How recordings are made, the same for all sources. */
export type RecordConf = Pick<
  PathConf,
  'recordPath' | 'recordFormat' | 'recordPartDuration' | 'recordSegmentDuration' | 'recordDeleteAfter'
>

/**
 * What the media server shall do for a source. One that is switched off keeps its path, because recordings can be played only while
 * there is one; whoever wants to publish or watch is refused when they ask.
 */
export function wantedPath(source: Source, recordConf: RecordConf): PathConf {
  const { enabled, recordEnabled, url } = source
  const common: PathConf = { ...recordConf, overridePublisher: true, record: enabled && recordEnabled }
  if (!enabled || url === null) return { ...common, source: 'publisher' }
  return {
    ...common,
    source: url,
    // Recording is no reason to fetch a stream; watching is.
    sourceOnDemand: source.onDemand && !recordEnabled,
    ...(source.protocol === 'rtsp' ? { rtspTransport: source.rtspTransport } : {}),
    ...(source.fingerprint === null ? {} : { sourceFingerprint: source.fingerprint })
  }
}

import type { TFunction } from 'i18next'
import type { SourceProtocol } from '../../../../shared/api/sources.ts'
import { ApiError } from '../../../../shared/api-client.ts'
import { problemText } from '../../lib/problem-text.ts'

const protocols: readonly [RegExp, SourceProtocol][] = [
  [/^rtsps?[:+]/i, 'rtsp'],
  [/^rtmps?:/i, 'rtmp'],
  [/^srt:/i, 'srt'],
  [/^wheps?:/i, 'webrtc'],
  [/^https?:/i, 'hls'],
  [/^udp\+mpegts:/i, 'mpegts']
]

/** Which protocol an address begins with; null until it is enough of an address. The base decides. */
export function protocolOf(url: string): SourceProtocol | null {
  return protocols.find(([beginning]) => beginning.test(url.trim()))?.[1] ?? null
}

/** Whether whoever answers at an address proves with a certificate who it is. */
export function hasCertificate(url: string): boolean {
  return /^(rtsps|rtmps|https|wheps)[:+]/i.test(url.trim())
}

const reasons = ['characters', 'dollar', 'masked', 'scheme', 'host', 'credential', 'port', 'address'] as const

/** The fields that the base can find fault with by name. */
export const faultyFields = ['name', 'url', 'fingerprint'] as const
export type SourceFaults = Partial<Record<(typeof faultyFields)[number] | 'other', string>>

/** What the base refused about a source, in words, each at its field; `other` for what belongs to none. */
export function faultsOf(t: TFunction, error: unknown): SourceFaults {
  if (error === null) return {}
  const problem = error instanceof ApiError ? error.problem : null
  if (problem?.code === 'pull_url_refused') {
    const reason = reasons.find((known) => known === problem.details?.['reason']) ?? 'other'
    return { url: t(`live.form.refused.${reason}`) }
  }
  const faults: SourceFaults = {}
  for (const { path, message } of issuesOf(problem?.details)) {
    const field = faultyFields.find((known) => known === path)
    if (field !== undefined) faults[field] = t('live.form.notThis', { reason: message })
  }
  return Object.keys(faults).length > 0 ? faults : { other: problemText(t, error) }
}

function issuesOf(details: Record<string, unknown> | undefined): { path: string; message: string }[] {
  const issues = details?.['issues']
  if (!Array.isArray(issues)) return []
  return issues.filter(
    (issue: unknown): issue is { path: string; message: string } =>
      typeof issue === 'object' &&
      issue !== null &&
      'path' in issue &&
      typeof issue.path === 'string' &&
      'message' in issue &&
      typeof issue.message === 'string'
  )
}

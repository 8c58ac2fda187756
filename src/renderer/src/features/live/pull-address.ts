import type { TFunction } from 'i18next'
import { z } from 'zod'
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
const faultyFields = ['name', 'url', 'fingerprint'] as const
export type SourceFaults = Partial<Record<(typeof faultyFields)[number] | 'other', string>>

/** What the base refused about a source, in words, each at its field; `other` for what belongs to none. */
export function faultsOf(t: TFunction, error: unknown): SourceFaults {
  if (error === null) return {}
  const problem = error instanceof ApiError ? error.problem : null
  if (problem?.code === 'pull_url_refused') {
    const reason = reasons.find((known) => known === problem.details?.['reason']) ?? 'other'
    return { url: t(`live.form.refused.${reason}`) }
  }
  const paths = issuesSchema.safeParse(problem?.details).data?.issues.map(({ path }) => path) ?? []
  const faulty = faultyFields.filter((field) => paths.includes(field))
  const words = {
    name: t('live.form.needName'),
    url: t('live.form.refused.other'),
    fingerprint: t('live.form.needFingerprint')
  }
  return faulty.length === 0
    ? { other: problemText(t, error) }
    : Object.fromEntries(faulty.map((field) => [field, words[field]]))
}

/** What a refusal tells of the fields that it is about. */
const issuesSchema = z.object({ issues: z.array(z.object({ path: z.string() })) })

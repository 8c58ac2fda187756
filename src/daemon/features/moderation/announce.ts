import { Webhook as Signature } from 'standardwebhooks'
import { type Verdict, verdictSchema } from '../../../shared/api/asset-changes.ts'

/** Where assets are announced. */
export interface ModerationHook {
  url: string
  /** As Standard Webhooks writes it: `whsec_` and base64. */
  secret: string
}

const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 65_536

/**
 * Posts `data` with a signature (Standard Webhooks) and gives the judgement in the answer; null when there is none yet. `id` is
 * the same at every attempt. Throws when the service cannot be reached, refuses, or answers a judgement that is none.
 */
export async function announce(
  hook: ModerationHook,
  message: { id: string; atMs: number; data: Record<string, unknown> },
  signal: AbortSignal
): Promise<Verdict | null> {
  const at = new Date(message.atMs)
  const body = JSON.stringify({ type: 'asset.moderation', timestamp: at.toISOString(), data: message.data })
  const response = await fetch(hook.url, {
    method: 'POST',
    redirect: 'error',
    headers: {
      'content-type': 'application/json',
      'webhook-id': message.id,
      'webhook-timestamp': String(Math.floor(message.atMs / 1000)),
      'webhook-signature': new Signature(hook.secret).sign(message.id, at, body)
    },
    body,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  })
  const answer = await beginningOf(response)
  if (!response.ok) throw new Error(`the moderation service answered ${response.status}`)
  return verdictIn(answer)
}

async function beginningOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length
    if (sizeBytes > MAX_ANSWER_BYTES) throw new Error('the moderation service answered too much')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** An answer without a status says only that the service has heard. */
function verdictIn(answer: string): Verdict | null {
  let value: unknown
  try {
    value = JSON.parse(answer)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || !('status' in value)) return null
  const parsed = verdictSchema.safeParse(value)
  if (!parsed.success) throw new Error('the moderation service answered a judgement that is none')
  return parsed.data
}

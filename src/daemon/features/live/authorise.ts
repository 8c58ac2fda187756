import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Source } from './sources.repository.ts'
import type { StreamTokens } from './stream-tokens.ts'

/** What the media server asks when somebody wants something of it (MediaMTX, authentication by HTTP). */
export const authRequestSchema = z.object({
  ip: z.string(),
  user: z.string().default(''),
  password: z.string().default(''),
  token: z.string().default(''),
  action: z.string(),
  path: z.string().default(''),
  query: z.string().default('')
})
export type AuthRequest = z.infer<typeof authRequestSchema>

export interface AuthoriseDeps {
  tokens: StreamTokens
  findByPath: (pathName: string) => Source | undefined
  /** What the daemon itself shows its media server; null: nothing. */
  ownCredential: { user: string; password: string } | null
  /** Whether the media server may be on another machine, to which the daemon does not come from a loopback address. */
  isElsewhere: boolean
}

/** Whether the media server shall let somebody do what they ask for. */
export function authorise(request: AuthRequest, deps: AuthoriseDeps): boolean {
  const { action, path } = request
  const isOwn = (deps.isElsewhere || isLoopback(request.ip)) && isCredential(request, deps.ownCredential)
  if (action !== 'publish' && action !== 'read' && action !== 'playback') return isOwn
  const source = deps.findByPath(path)
  if (!source) return false
  // What was recorded can be played while its source is switched off.
  if (action === 'playback') return isOwn || opens(request, (token) => deps.tokens.opens(token, path, 'p'))
  if (!source.enabled) return false
  if (action === 'read') return isOwn || opens(request, (token) => deps.tokens.opens(token, path, 'r'))
  const { publishKey } = source
  return publishKey !== null && opens(request, (token) => isEqual(token, publishKey))
}

/** Protocols differ in where they can carry a token. */
function opens({ token, password, query }: AuthRequest, isKey: (token: string) => boolean): boolean {
  const parameters = new URLSearchParams(query)
  return [token, password, parameters.get('token') ?? '', parameters.get('pass') ?? ''].some(
    (candidate) => candidate !== '' && isKey(candidate)
  )
}

function isCredential(given: AuthRequest, own: AuthoriseDeps['ownCredential']): boolean {
  return own !== null && isEqual(given.user, own.user) && isEqual(given.password, own.password)
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}

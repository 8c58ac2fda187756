import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { RemoteProblem } from '../../shared/api/remote.ts'
import { messageOf } from '../errors.ts'
import { isHostAmong } from './host-rule.ts'
import { AddressRefused, guardedLookup, isPublicAddress, mayConnectTo } from './public-address.ts'

/** Where requests may go. */
export interface FetchRules {
  /** Ports of the addresses. */
  ports: readonly number[]
  /** Host names; `*.example.org` stands for every name below `example.org`. Empty: every host. */
  domains: readonly string[]
  maxRedirects: number
  /** Which IP addresses may be connected to; those of the Internet when left out. */
  isAllowedAddress?: (address: string) => boolean
  /** Resolves names; the system does when left out. */
  lookup?: LookupFunction
  /** Until the connection stands, and until the head of the answer is here. */
  connectTimeoutMs: number
  answerTimeoutMs: number
}

/** Why something cannot be fetched. `isFinal`: asking again would bring the same. */
export class FetchFailed extends Error {
  override readonly name = 'FetchFailed'
  readonly problem: RemoteProblem
  readonly isFinal: boolean
  constructor(problem: RemoteProblem, message: string, options: ErrorOptions & { isFinal: boolean }) {
    super(message, options)
    this.problem = problem
    this.isFinal = options.isFinal
  }
}

export interface Fetched {
  /** Where the last redirect led. */
  url: URL
  /** With a status of 200, or 304 where conditions were sent. Its body is as it was stored there: not compressed. */
  answer: IncomingMessage
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** Refusals that a later request may not meet (RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4). */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429])
const MAX_HEADER_BYTES = 16_384

const refused = (problem: RemoteProblem, message: string): FetchFailed =>
  new FetchFailed(problem, message, { isFinal: true })

/**
 * Gets an address that a stranger may have chosen, without harm to the networks that this machine is in: by http or https only, at
 * addresses that are public when the connection is made, over redirects that are judged in the same way, each on a connection
 * of its own, and without saying who asks. `conditions` gives the headers that one address is asked with. Throws `FetchFailed`, and
 * the reason of `signal`, which ends the answer as well.
 */
export async function fetchSafely(
  address: URL,
  options: {
    rules: FetchRules
    headers: Record<string, string>
    conditions: (url: URL) => Record<string, string>
    signal: AbortSignal
  }
): Promise<Fetched> {
  const { rules, conditions, signal } = options
  let url = address
  for (let hops = 0; ; hops++) {
    assertAllowed(url, rules)
    const asked = conditions(url)
    const headers = { ...options.headers, ...asked, 'accept-encoding': 'identity' }
    const answer = await ask(url, { rules, headers, signal })
    try {
      const next = judge(url, answer, Object.keys(asked).length > 0)
      if (next === null) return { url, answer }
      if (hops >= rules.maxRedirects) throw refused('too_many_redirects', `there are more than ${hops} redirects`)
      answer.destroy()
      url = next
    } catch (error) {
      answer.destroy()
      throw error
    }
  }
}

/** Throws `FetchFailed` for an address that may not be asked for, as far as that can be told without resolving names. */
export function assertAllowed(url: URL, { ports, domains, isAllowedAddress = isPublicAddress }: FetchRules): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refused('url_not_allowed', 'only http and https are asked for')
  if (url.username !== '' || url.password !== '')
    throw refused('url_not_allowed', 'the address holds a user or password')
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  if (!ports.includes(port)) throw refused('url_not_allowed', `port ${port} is not asked`)
  const host = url.hostname.replace(/\.$/, '')
  if (domains.length > 0 && !isHostAmong(domains, host))
    throw refused('domain_not_allowed', `${host} is not among the allowed domains`)
  if (!mayConnectTo(url.hostname, isAllowedAddress))
    throw refused('address_not_allowed', `${url.hostname} is not a public address`)
}

/** Where an answer leads on to; null when it is the one. */
function judge(url: URL, { statusCode: status = 0, headers }: IncomingMessage, isConditional: boolean): URL | null {
  if (REDIRECTS.has(status)) return redirected(url, headers.location)
  if (status === 304 && isConditional) return null
  if (status >= 500 || PASSING.has(status))
    throw new FetchFailed('origin_failed', `the origin answered ${status}`, { isFinal: false })
  if (status !== 200) throw refused('origin_refused', `the origin answered ${status}`)
  const { 'content-encoding': encoding = 'identity' } = headers
  if (encoding.trim().toLowerCase() !== 'identity')
    throw refused('answer_not_usable', `the origin sends ${encoding.slice(0, 64)} although it was asked not to`)
  return null
}

function redirected(from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href))
    throw refused('answer_not_usable', 'the origin redirects to nowhere')
  const to = new URL(location, from.href)
  to.hash = ''
  if (from.protocol === 'https:' && to.protocol === 'http:')
    throw refused('url_not_allowed', 'the origin redirects from https to http')
  return to
}

/** One request on a connection of its own; resolves with the head of the answer. */
function ask(
  url: URL,
  { rules, headers, signal }: { rules: FetchRules; headers: Record<string, string>; signal: AbortSignal }
): Promise<IncomingMessage> {
  const { connectTimeoutMs, answerTimeoutMs } = rules
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      headers,
      agent: false,
      signal,
      maxHeaderSize: MAX_HEADER_BYTES,
      lookup: guardedLookup(rules.isAllowedAddress, rules.lookup)
    })
    const late = (what: string): FetchFailed => new FetchFailed('origin_timeout', what, { isFinal: false })
    const connecting = setTimeout(() => request.destroy(late('the connection takes too long')), connectTimeoutMs)
    const answering = setTimeout(() => request.destroy(late('the origin does not answer in time')), answerTimeoutMs)
    request.once('socket', (socket) =>
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => clearTimeout(connecting))
    )
    const settled = (): void => {
      clearTimeout(connecting)
      clearTimeout(answering)
    }
    request.once('response', (answer) => {
      settled()
      resolve(answer)
    })
    request.once('upgrade', (_, socket) => {
      socket.destroy()
      settled()
      reject(refused('answer_not_usable', 'the origin wants to speak another protocol'))
    })
    // Once there is an answer, it tells what goes wrong.
    request.on('error', (error) => {
      settled()
      reject(signal.aborted ? signal.reason : failureOf(error))
    })
    request.end()
  })
}

/** What an error of a connection means. */
export function failureOf(error: unknown): FetchFailed {
  if (error instanceof FetchFailed) return error
  if (error instanceof AddressRefused)
    return new FetchFailed('address_not_allowed', error.message, { isFinal: true, cause: error })
  const { code = '' } = error as NodeJS.ErrnoException
  if (code.startsWith('HPE_'))
    return new FetchFailed('answer_not_usable', `what the origin says is no HTTP (${code})`, {
      isFinal: true,
      cause: error
    })
  return new FetchFailed('origin_unreachable', messageOf(error), { isFinal: false, cause: error })
}

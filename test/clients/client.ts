/** With what a client signs: a long-term key, or an STS key and token for all of one prefix or for nothing but uploads to it. */
export type CredentialKind = 'long-term' | 'session' | 'upload-only'

/** Where a client works: one prefix of one bucket, with one set of credentials and files of its own. */
export interface Site {
  /** `http://host:port` of the server. */
  endpoint: string
  host: string
  /** The same server behind TLS, and the certificate to trust; null without `openssl`. */
  secure: { endpoint: string; caFile: string } | null
  region: string
  bucket: string
  /** Without slash at the end. */
  prefix: string
  /** An object outside of what the session credentials allow. */
  foreignKey: string
  kind: CredentialKind
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  /** Lets the server's clock go wrong by so much; null with a server whose clock is not ours. */
  turnServerClock: ((offsetMs: number) => void) | null
  /** False: another server, from which nothing is wanted that only ours does. */
  isOurs: boolean
  /** Empty folder for the client's own use. */
  directory: string
  /** What a card holds: awkward names, an empty file, one of several parts. */
  card: Card
  /** One large file. */
  film: { file: string; sizeBytes: number }
}

export interface Card {
  directory: string
  /** Paths within it, sorted, with `/`. */
  paths: readonly string[]
  /** One of them that takes several parts. */
  clip: string
}

export type Outcome = { result: 'passed' } | { result: 'failed' | 'deviates' | 'skipped'; detail: string }
/** Takes the outcome of one check. */
export type Tell = (check: string, outcome: Outcome) => void

/** A program or library that speaks S3, found on this machine. */
export interface FoundClient {
  version: string
  run(site: Site, tell: Tell): Promise<void>
}

export interface Client {
  name: string
  /** How it is found, for the one who reads that it is absent. */
  foundBy: string
  /** Every version of it that is here. */
  find(): Promise<FoundClient[]>
}

export interface Check {
  name: string
  /** Every kind unless given. */
  with?: readonly CredentialKind[]
  /** What other servers do otherwise. */
  onlyOurs?: boolean
  /** The reason for which it fails on purpose. */
  deviates?: string
  run(): Promise<void>
}

/** Runs the checks that are meant for the site, one after the other. */
export async function runChecks(site: Site, tell: Tell, checks: readonly Check[]): Promise<void> {
  for (const check of checks) {
    if (check.with?.includes(site.kind) === false || (check.onlyOurs && !site.isOurs)) continue
    tell(check.name, await outcomeOf(check))
  }
}

async function outcomeOf(check: Check): Promise<Outcome> {
  try {
    await check.run()
    return { result: 'passed' }
  } catch (error) {
    if (check.deviates !== undefined) return { result: 'deviates', detail: check.deviates }
    return { result: 'failed', detail: error instanceof Error ? error.message : String(error) }
  }
}

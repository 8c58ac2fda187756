import type { LookupFunction } from 'node:net'
import type { Feature } from '../../feature.ts'
import type { FetchRules } from '../../http/safe-fetch.ts'
import { RemoteRepository } from './remote.repository.ts'
import { bindRemote } from './remote.routes.ts'
import { RemoteService, type RemoteServiceDeps } from './remote.service.ts'
import { RemoteFetcher, type RemoteFetcherDeps } from './remote-fetcher.ts'

const CONNECT_TIMEOUT_MS = 10_000
const ANSWER_TIMEOUT_MS = 30_000

export interface RemoteDeps
  extends Omit<RemoteServiceDeps, 'repository' | 'fetcher' | 'rules'>,
    Pick<RemoteFetcherDeps, 'store' | 'keys'> {
  version: string
  /** Resolves names; the system does when left out. */
  lookup?: LookupFunction | undefined
}

export interface RemoteFeature extends Feature {
  /** Whether the bytes of a remote file are kept at this key. */
  isInUse(key: string): boolean
}

/** A cache of files that lie on other people's servers. */
export function createRemote(deps: RemoteDeps): RemoteFeature {
  const { db, config, lookup } = deps
  const repository = new RemoteRepository(db)
  const rules: FetchRules = {
    ...config,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    answerTimeoutMs: ANSWER_TIMEOUT_MS,
    ...(config.allowPrivate ? { isAllowedAddress: () => true } : {}),
    ...(lookup ? { lookup } : {})
  }
  const fetcher = new RemoteFetcher({ ...deps, rules, userAgent: `Flightcase/${deps.version}` })
  const service = new RemoteService({ ...deps, rules, repository, fetcher })
  return {
    isInUse: (key) => repository.hasKey(key),
    bind: (binder) => bindRemote(binder, { ...deps, service, repository }),
    jobs: [service.bindJob()],
    upkeep: [{ name: 'remote files', run: (signal) => service.tidy(signal) }]
  }
}

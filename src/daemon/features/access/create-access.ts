import { randomBytes } from 'node:crypto'
import type { Request } from 'express'
import type { JwtConfig } from '../../config/settings/access.ts'
import type { Feature } from '../../feature.ts'
import type { Caller } from '../../http/bind-endpoint.ts'
import { authenticateAdmin, bindAccess } from './access.routes.ts'
import { AccessService, type AccessServiceDeps, type Identity } from './access.service.ts'
import { Belongings } from './belongings.ts'
import { JwtVerifier } from './jwt-verifier.ts'
import { SignInGuard } from './sign-in-guard.ts'

export interface AccessDeps extends Omit<AccessServiceDeps, 'startToken'> {
  /** Null: no identity provider is trusted. */
  jwt: JwtConfig | null
  /** 0 for no limit. */
  failedSignInsPerMinute: number
}

export interface AccessFeature extends Feature {
  service: AccessService
  /** Keeps those of one workspace from the things of another. */
  belongings: Belongings
  /** Opens the admin listener: the token of the configuration, else one made for this start. */
  adminToken: string
  /** Who calls the admin listener. Throws `unauthenticated`, `too_many_sign_ins`, `forbidden`, `identity_provider_unreachable`. */
  authenticate(request: Request): Promise<Caller>
  /**
   * Which controller a secret belongs to; undefined when it opens nothing, `too_many` when too many were tried from this address (null: a
   * program of this machine).
   */
  authenticateController(secret: string, address: string | null): Identity | undefined | 'too_many'
}

/** How long a token that another process revoked may keep an open connection. */
const CHECK_MS = 1000

/** Who may come in, and to what: tokens, sessions, an identity provider's tokens. */
export function createAccess(deps: AccessDeps): AccessFeature {
  const startToken = randomBytes(24).toString('base64url')
  const service = new AccessService({ ...deps, startToken })
  const signIns = new SignInGuard({ clock: deps.clock, maxFailures: deps.failedSignInsPerMinute })
  const jwt = deps.jwt && new JwtVerifier({ ...deps, config: deps.jwt })
  let timer: NodeJS.Timeout | undefined
  return {
    service,
    belongings: new Belongings(deps.db),
    adminToken: deps.adminToken ?? startToken,
    authenticate: (request) => authenticateAdmin({ access: service, jwt, signIns }, request),
    authenticateController: (secret, address) =>
      signIns.attempt(address, secret, () => service.authenticateController(secret)),
    bind: (binder) => bindAccess(binder, service),
    upkeep: [{ name: 'expired sessions', run: () => service.forgetExpiredSessions() }],
    start: () => {
      timer = setInterval(() => service.tick(), CHECK_MS).unref()
    },
    stop: async () => clearInterval(timer)
  }
}

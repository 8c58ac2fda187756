import { errors, type JWTPayload, jwtVerify } from 'jose'
import type { Logger } from 'pino'
import { z } from 'zod'
import { type Role, roles } from '../../../shared/api/system.ts'
import { workspaceIdSchema } from '../../../shared/api/workspaces.ts'
import type { Clock } from '../../clock.ts'
import type { JwtConfig } from '../../config/settings/access.ts'
import { AppError } from '../../errors.ts'
import type { WorkspaceScope } from '../../workspace-scope.ts'
import { JwksKeys } from './jwks-keys.ts'

/** Whom an identity provider vouches for, and until when. */
export interface VouchedIdentity {
  actorId: string
  name: string
  role: Role
  workspaceIds: WorkspaceScope
  expiresAtMs: number
}

/** How far the clocks of the provider and this machine may be apart. */
const CLOCK_TOLERANCE_S = 30
const LONGEST_NAME = 200

const claimsSchema = z.object({ sub: z.string().min(1).max(255), exp: z.number() })
const namesSchema = z.union([z.string(), z.array(z.string())])

/** Reads the tokens of an identity provider (JWT, RFC 7519, signed by one of its published keys). */
export class JwtVerifier {
  readonly #config: JwtConfig
  readonly #clock: Clock
  readonly #keys: JwksKeys

  constructor(deps: { config: JwtConfig; clock: Clock; log: Logger }) {
    this.#config = deps.config
    this.#clock = deps.clock
    this.#keys = new JwksKeys({ ...deps, source: deps.config.jwks })
  }

  /**
   * Whom `token` is about. Throws `unauthenticated` with the reason; `forbidden` when it names no role or workspace that means
   * something here; `identity_provider_unreachable`.
   */
  async verify(token: string): Promise<VouchedIdentity> {
    const payload = await this.#payloadOf(token)
    const claims = claimsSchema.safeParse(payload)
    if (!claims.success) throw new AppError('unauthenticated', { reason: 'the claim "sub" cannot be used' })
    const { sub, exp } = claims.data
    return {
      actorId: `jwt:${sub}`,
      name: nameOf(payload) ?? sub,
      role: this.#roleOf(payload),
      workspaceIds: this.#workspacesOf(payload),
      expiresAtMs: exp * 1000
    }
  }

  async #payloadOf(token: string): Promise<JWTPayload> {
    const { issuer, audience, algorithms } = this.#config
    try {
      const { payload } = await jwtVerify(token, this.#keys.get, {
        issuer,
        audience,
        algorithms: [...algorithms],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(this.#clock.nowMs()),
        requiredClaims: ['sub', 'exp']
      })
      return payload
    } catch (error) {
      if (error instanceof errors.JOSEError)
        throw new AppError('unauthenticated', { reason: error.message }, { cause: error })
      throw error
    }
  }

  /** The strongest one that the claim names. */
  #roleOf(payload: JWTPayload): Role {
    const { roleClaim, roleNames } = this.#config
    const named = namesIn(payload, roleClaim).map((name) => roleNames.get(name))
    const role = [...roles].reverse().find((candidate) => named.includes(candidate))
    if (role === undefined) throw new AppError('forbidden', { needs: `a role in the claim ${roleClaim}` })
    return role
  }

  #workspacesOf(payload: JWTPayload): WorkspaceScope {
    const { workspaceClaim } = this.#config
    if (workspaceClaim === null) return 'all'
    const named = namesIn(payload, workspaceClaim)
    if (named.includes('*')) return 'all'
    const ids = named.filter((name) => workspaceIdSchema.safeParse(name).success)
    if (ids.length === 0) throw new AppError('forbidden', { needs: `a workspace in the claim ${workspaceClaim}` })
    return ids
  }
}

/** The words of a claim, which may be a list, one word, or several with spaces; dots lead into objects. */
function namesIn(payload: JWTPayload, claim: string): string[] {
  const direct = payload[claim]
  const value = direct ?? claim.split('.').reduce<unknown>(memberOf, payload)
  const names = namesSchema.safeParse(value)
  if (!names.success) return []
  return typeof names.data === 'string' ? names.data.split(/\s+/).filter((name) => name !== '') : names.data
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

function nameOf(payload: JWTPayload): string | undefined {
  for (const claim of ['name', 'preferred_username', 'email'])
    if (typeof payload[claim] === 'string' && payload[claim] !== '') return payload[claim].slice(0, LONGEST_NAME)
  return undefined
}

import type { Request } from 'express'
import { closeSession, createToken, listTokens, openSession, revokeToken } from '../../../shared/api/system.ts'
import { AppError } from '../../errors.ts'
import type { Caller, EndpointBinder } from '../../http/bind-endpoint.ts'
import { clientAddress } from '../../http/client-address.ts'
import type { AccessService } from './access.service.ts'
import type { JwtVerifier } from './jwt-verifier.ts'
import type { SignInGuard } from './sign-in-guard.ts'

/** Several daemons on one host share cookies (ports do not separate them), so the name carries the port. */
function cookieName(request: Request): string {
  return `flightcase_${request.socket.localPort}`
}

/** What decides who comes in by the admin listener. */
export interface AdminDoor {
  access: AccessService
  /** Null: no identity provider is trusted. */
  jwt: JwtVerifier | null
  signIns: SignInGuard
}

/** Three parts of base64url, the first one the beginning of a JSON object (RFC 7515 §7.1). */
const LOOKS_LIKE_JWT = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/

/**
 * Who calls the admin listener: a bearer token, ours or that of an identity provider, else a session cookie. Throws
 * `unauthenticated`, `too_many_sign_ins`, `forbidden`, `identity_provider_unreachable`.
 */
export async function authenticateAdmin(deps: AdminDoor, request: Request): Promise<Caller> {
  const { access, jwt, signIns } = deps
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (jwt && bearer !== undefined && LOOKS_LIKE_JWT.test(bearer))
    return { ...(await jwt.verify(bearer)), tokenId: null, viaCookie: false }
  const identity =
    bearer === undefined
      ? access.identify(cookieValue(request, cookieName(request)) ?? '')
      : signIns.attempt(clientAddress(request), bearer, () => access.identify(bearer))
  if (identity === 'too_many') throw new AppError('too_many_sign_ins')
  if (!identity) throw new AppError('unauthenticated')
  if (identity.role === 'controller') throw new AppError('forbidden')
  const { actorId, name, role, workspaceIds, tokenId, expiresAtMs } = identity
  return { actorId, name, role, workspaceIds, tokenId, expiresAtMs, viaCookie: bearer === undefined }
}

function cookieValue(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}

export function bindAccess(binder: EndpointBinder, access: AccessService): void {
  binder.bind(openSession, (_, { caller, request, response }) => {
    const { secret, maxAgeMs } = access.openSession(caller)
    response.cookie(cookieName(request), secret, {
      httpOnly: true,
      sameSite: 'strict',
      secure: request.secure,
      path: '/',
      maxAge: maxAgeMs
    })
    return { role: caller.role }
  })
  binder.bind(closeSession, (_, { caller, request, response }) => {
    if (caller.viaCookie && caller.tokenId !== null) access.closeSession(caller.tokenId)
    response.clearCookie(cookieName(request), { path: '/' })
    return undefined
  })
  binder.bind(listTokens, () => ({ items: access.listTokens() }))
  binder.bind(createToken, ({ body }) => access.createToken(body))
  // Never in one transaction with its answer: the token stays revoked when what it opened cannot be ended yet.
  binder.bind(revokeToken, async ({ params }) => access.revokeToken(params.tokenId))
}

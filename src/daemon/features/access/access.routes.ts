import type { Request } from 'express'
import { closeSession, createToken, listTokens, openSession, revokeToken } from '../../../shared/api/system.ts'
import { AppError } from '../../errors.ts'
import type { Caller, EndpointBinder } from '../../http/bind-endpoint.ts'
import type { AccessService } from './access.service.ts'

/** Several daemons on one host share cookies (ports do not separate them), so the name carries the port. */
function cookieName(request: Request): string {
  return `flightcase_${request.socket.localPort}`
}

/** Who calls the admin listener: a bearer token, else a session cookie. Throws `unauthenticated`. */
export function authenticateAdmin(access: AccessService, request: Request): Caller {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const secret = bearer ?? cookieValue(request, cookieName(request))
  const identity = secret === undefined ? undefined : access.identify(secret)
  if (!identity) throw new AppError('unauthenticated')
  if (identity.role === 'controller') throw new AppError('forbidden')
  const { actorId, name, role, workspaceIds, tokenId } = identity
  return { actorId, name, role, workspaceIds, tokenId, viaCookie: bearer === undefined }
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
  binder.bind(revokeToken, ({ params }) => access.revokeToken(params.tokenId))
}

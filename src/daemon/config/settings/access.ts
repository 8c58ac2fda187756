import { z } from 'zod'
import { type Role, roles } from '../../../shared/api/system.ts'
import { amountSchema, listSchema, setting, tokenSchema, type ValuesOf } from './setting.ts'

/** Keys that come over a network must not be exchanged on the way; on this machine nobody can. */
const jwksSchema = z
  .string()
  .min(1)
  .refine(
    (text) => !/^https?:/.test(text) || /^https:|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(text),
    'must be an https address or the path of a file'
  )

/** Signatures with a key pair only: what is published as a key must never be taken for a shared secret. */
const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519'
] as const

const roleNamesSchema = z.string().transform((text, context): ReadonlyMap<string, Role> => {
  const names = new Map<string, Role>()
  for (const pair of text.split(',')) {
    const [name = '', role] = pair.split('=').map((part) => part.trim())
    const known = roles.find((candidate) => candidate === role)
    if (name === '' || !known) context.addIssue({ code: 'custom', message: `must be NAME=ROLE: ${pair.trim()}` })
    else names.set(name, known)
  }
  return names
})

/** Zero for no limit. Programs of this machine have none. */
export interface LimitsConfig {
  requestsPerMinute: number
  mediaPerMinute: number
  failedSignInsPerMinute: number
}

export interface JwtConfig {
  issuer: string
  audience: string
  /** An address, or the path of a file. */
  jwks: string
  algorithms: readonly string[]
  roleClaim: string
  roleNames: ReadonlyMap<string, Role>
  /** Null: tokens open all workspaces. */
  workspaceClaim: string | null
}

/** Who may call, and how often. */
export const accessSettings = {
  adminToken: setting({
    toml: 'admin_token',
    env: 'FLIGHTCASE_ADMIN_TOKEN',
    help: 'fixed admin token; without it every start makes a new one',
    secret: true,
    schema: tokenSchema
  }),
  requestsPerMinute: setting({
    toml: 'limits.requests_per_minute',
    env: 'FLIGHTCASE_REQUESTS_PER_MINUTE',
    help: 'operations of the admin listener for each token or person, without one for each address; 0: no limit',
    schema: amountSchema(10_000_000).pipe(z.int())
  }),
  mediaPerMinute: setting({
    toml: 'limits.media_per_minute',
    env: 'FLIGHTCASE_MEDIA_PER_MINUTE',
    help: 'originals and previews for each address; 0: no limit',
    schema: amountSchema(10_000_000).pipe(z.int())
  }),
  failedSignInsPerMinute: setting({
    toml: 'limits.failed_sign_ins_per_minute',
    env: 'FLIGHTCASE_FAILED_SIGN_INS_PER_MINUTE',
    help: 'wrong tokens for each address, before it is not heard for a minute; 0: no limit',
    schema: amountSchema(1000).pipe(z.int())
  }),
  jwtIssuer: setting({
    toml: 'jwt.issuer',
    env: 'FLIGHTCASE_JWT_ISSUER',
    help: 'identity provider whose tokens (JWT) open the admin listener: their `iss`',
    schema: z.string().min(1)
  }),
  jwtAudience: setting({
    toml: 'jwt.audience',
    env: 'FLIGHTCASE_JWT_AUDIENCE',
    help: 'what those tokens must be for: their `aud`',
    schema: z.string().min(1)
  }),
  jwtJwks: setting({
    toml: 'jwt.jwks',
    env: 'FLIGHTCASE_JWT_JWKS',
    help: 'where the public keys of the provider are (JWKS): an https address, or a file where there is no Internet',
    schema: jwksSchema
  }),
  jwtAlgorithms: setting({
    toml: 'jwt.algorithms',
    env: 'FLIGHTCASE_JWT_ALGORITHMS',
    help: 'algorithms of its signatures',
    schema: listSchema(z.string()).pipe(z.array(z.enum(JWT_ALGORITHMS)).min(1))
  }),
  jwtRoleClaim: setting({
    toml: 'jwt.role_claim',
    env: 'FLIGHTCASE_JWT_ROLE_CLAIM',
    help: 'claim that names the role; dots lead into objects: `realm_access.roles`',
    schema: z.string().min(1)
  }),
  jwtRoles: setting({
    toml: 'jwt.roles',
    env: 'FLIGHTCASE_JWT_ROLES',
    help: 'what the provider calls the roles, where not as we do: `media-admins=admin, pilots=operator, everyone=viewer`',
    schema: roleNamesSchema
  }),
  jwtWorkspaceClaim: setting({
    toml: 'jwt.workspace_claim',
    env: 'FLIGHTCASE_JWT_WORKSPACE_CLAIM',
    help: 'claim that names the workspaces a token is limited to (`*`: all); without this setting no token is',
    schema: z.string().min(1)
  })
} as const

export const accessDefaults = {
  requestsPerMinute: 30_000,
  mediaPerMinute: 120_000,
  failedSignInsPerMinute: 30,
  jwtAlgorithms: ['RS256', 'ES256', 'EdDSA'],
  jwtRoleClaim: 'role'
} as const satisfies ValuesOf<typeof accessSettings>

export function limitsConfig(values: ValuesOf<typeof accessSettings>): LimitsConfig {
  return {
    requestsPerMinute: values.requestsPerMinute ?? accessDefaults.requestsPerMinute,
    mediaPerMinute: values.mediaPerMinute ?? accessDefaults.mediaPerMinute,
    failedSignInsPerMinute: values.failedSignInsPerMinute ?? accessDefaults.failedSignInsPerMinute
  }
}

export function jwtConfig(values: ValuesOf<typeof accessSettings>): JwtConfig | null {
  const { jwtIssuer: issuer, jwtAudience: audience, jwtJwks: jwks } = values
  if (issuer === undefined || audience === undefined || jwks === undefined) return null
  return {
    issuer,
    audience,
    jwks,
    algorithms: values.jwtAlgorithms ?? accessDefaults.jwtAlgorithms,
    roleClaim: values.jwtRoleClaim ?? accessDefaults.jwtRoleClaim,
    roleNames: values.jwtRoles ?? new Map(roles.map((role) => [role, role])),
    workspaceClaim: values.jwtWorkspaceClaim ?? null
  }
}

/** One alone would trust anybody's tokens, or nobody's. */
const NEEDED_FOR_JWT = ['jwtIssuer', 'jwtAudience', 'jwtJwks'] as const

/** What is missing beside what was given. */
export function missingForJwt(given: ReadonlySet<string>): string[] {
  if (!NEEDED_FOR_JWT.some((name) => given.has(name))) return []
  return NEEDED_FOR_JWT.filter((name) => !given.has(name)).map(
    (name) => `${accessSettings[name].env} (${accessSettings[name].toml}): needed with an identity provider`
  )
}

import { z } from 'zod'
import { hasDuplicateMembers } from './duplicate-members.ts'
import { compileGlob, type Glob, globMatches } from './glob.ts'
import { type Condition, compileCondition, type PolicyContext } from './policy-conditions.ts'

const MAX_STATEMENTS = 20
const RESOURCE_PREFIX = 'arn:aws:s3:::'

/** One thing a request wants to do. `resource` is `''` for the service, `bucket` or `bucket/key`. */
export interface AccessRequest {
  /** Such as `s3:PutObject`. */
  action: string
  resource: string
  context: PolicyContext
}

interface Statement {
  effect: 'Allow' | 'Deny'
  actions: { globs: readonly Glob[]; negated: boolean }
  resources: { globs: readonly Glob[]; negated: boolean }
  conditions: readonly Condition[]
}

/** A policy document ready to be asked. Without statements it allows nothing. */
export interface Policy {
  readonly statements: readonly Statement[]
}

/** The document uses something outside the accepted grammar, or is not JSON. The message says what, for people. */
export class PolicyError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PolicyError'
  }
}

const textOrList = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (Array.isArray(value) ? value : [value]))
const conditionValue = z.union([z.string(), z.boolean(), z.number()]).transform(String)
const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: textOrList.optional(),
  NotAction: textOrList.optional(),
  Resource: textOrList.optional(),
  NotResource: textOrList.optional(),
  Condition: z
    .record(
      z.string(),
      z.record(
        z.string(),
        z
          .union([conditionValue, z.array(conditionValue)])
          .transform((value) => (Array.isArray(value) ? value : [value]))
      )
    )
    .optional()
})
const documentSchema = z.strictObject({
  Version: z.literal('2012-10-17'),
  Id: z.string().optional(),
  Statement: z
    .union([statementSchema, z.array(statementSchema)])
    .transform((value) => (Array.isArray(value) ? value : [value]))
})

/**
 * Parses a policy document (IAM policy grammar, the part listed in the schema above). Whatever it does not understand is
 * refused rather than ignored, so a condition can never be dropped on the way.
 * @throws PolicyError
 */
export function parsePolicy(json: string): Policy {
  let raw: unknown
  try {
    // Object schemas skip a member of this name, so a condition under it would be ignored instead of refused.
    raw = JSON.parse(json, (name, value: unknown) => {
      if (name === '__proto__') throw new Error('A member must not be named __proto__.')
      return value
    })
  } catch (cause) {
    throw new PolicyError('The policy is not valid JSON.', { cause })
  }
  if (hasDuplicateMembers(json)) throw new PolicyError('The policy repeats a member.')
  const document = documentSchema.safeParse(raw)
  if (!document.success) throw new PolicyError(z.prettifyError(document.error), { cause: document.error })
  if (document.data.Statement.length > MAX_STATEMENTS)
    throw new PolicyError(`The policy has more than ${MAX_STATEMENTS} statements.`)
  return { statements: document.data.Statement.map(compileStatement) }
}

function compileStatement(statement: z.infer<typeof statementSchema>): Statement {
  const actions = exactlyOne('Action', statement.Action, statement.NotAction)
  const resources = exactlyOne('Resource', statement.Resource, statement.NotResource)
  return {
    effect: statement.Effect,
    actions: { negated: actions.negated, globs: actions.values.map(compileAction) },
    resources: { negated: resources.negated, globs: resources.values.map(compileResource) },
    conditions: Object.entries(statement.Condition ?? {}).flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => compileConditionOrThrow(operator, key, values))
    )
  }
}

function exactlyOne(
  name: string,
  values: string[] | undefined,
  excluded: string[] | undefined
): { values: string[]; negated: boolean } {
  const listed = values ?? excluded
  if (listed === undefined || (values !== undefined && excluded !== undefined) || listed.length === 0)
    throw new PolicyError(`A statement needs either ${name} or Not${name}, with at least one entry.`)
  return { values: listed, negated: values === undefined }
}

function compileAction(action: string): Glob {
  if (!/^(s3|sts):[a-z*?]+$/i.test(action))
    throw new PolicyError(`The action ${action.slice(0, 100)} is not supported.`)
  return compileGlob(action.toLowerCase())
}

function compileResource(resource: string): Glob {
  if (resource.includes('${')) throw new PolicyError('Policy variables are not supported.')
  if (resource !== '*' && !resource.startsWith(RESOURCE_PREFIX))
    throw new PolicyError(`A resource must be "*" or start with ${RESOURCE_PREFIX}.`)
  return compileGlob(resource)
}

function compileConditionOrThrow(operator: string, key: string, values: readonly string[]): Condition {
  try {
    return compileCondition(operator, key, values)
  } catch (cause) {
    throw new PolicyError(cause instanceof Error ? cause.message : 'A condition is not supported.', { cause })
  }
}

/**
 * Whether every one of the policies allows the request and none denies it: the parent's policy alone, or the parent's and
 * the session's together. No policy at all allows nothing.
 */
export function policiesAllow(policies: readonly Policy[], request: AccessRequest): boolean {
  return policies.length > 0 && policies.every((policy) => decide(policy, request) === 'Allow')
}

/** What one document says: an explicit Deny wins, then Allow; null when no statement applies. */
function decide(policy: Policy, request: AccessRequest): 'Allow' | 'Deny' | null {
  const effects = policy.statements
    .filter((statement) => applies(statement, request))
    .map((statement) => statement.effect)
  if (effects.includes('Deny')) return 'Deny'
  return effects.includes('Allow') ? 'Allow' : null
}

function applies(statement: Statement, { action, resource, context }: AccessRequest): boolean {
  return (
    statement.actions.globs.some((glob) => globMatches(glob, action.toLowerCase())) !== statement.actions.negated &&
    statement.resources.globs.some((glob) => globMatches(glob, RESOURCE_PREFIX + resource)) !==
      statement.resources.negated &&
    statement.conditions.every((holds) => holds(context))
  )
}

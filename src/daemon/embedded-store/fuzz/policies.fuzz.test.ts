import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AccessRequest, type Policy, PolicyError, parsePolicy, policiesAllow } from '../policy/policy.ts'
import { damaged, FUZZ_TIMEOUT_MS, fuzzOptions, refusedOr } from './cases.ts'

const OPTIONS = fuzzOptions(300)
const isPolicyError = (error: unknown) => error instanceof PolicyError

const ACTIONS = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:ListBucket', 'sts:AssumeRole']
const actionPattern = fc.constantFrom(...ACTIONS, 's3:*', 's3:get*', 's3:*Object', 's3:?utObject')
const resourcePattern = fc.constantFrom(
  ...[
    '*',
    'arn:aws:s3:::*',
    'arn:aws:s3:::media',
    'arn:aws:s3:::media/*',
    'arn:aws:s3:::media/ws-1/*',
    'arn:aws:s3:::media/ws-?/a*'
  ]
)
const condition = fc.constantFrom(
  { StringLike: { 's3:prefix': 'ws-1/*' } },
  { StringEquals: { 's3:prefix': ['', 'ws-1/'] } },
  { StringNotEquals: { 's3:prefix': 'ws-2/' } },
  { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', 'fe80::/10'] } },
  { NotIpAddress: { 'aws:SourceIp': '10.1.0.0/16' } },
  { NumericLessThanEquals: { 's3:max-keys': '10' } },
  { Bool: { 'aws:SecureTransport': 'true' } },
  { Null: { 's3:prefix': 'true' } }
)
const lists = (one: fc.Arbitrary<string>) => fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 3 }))
const statement = fc
  .record({
    Effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
    actions: lists(actionPattern),
    notAction: fc.boolean(),
    resources: lists(resourcePattern),
    notResource: fc.boolean(),
    Condition: fc.option(condition, { nil: undefined, freq: 2 })
  })
  .map(({ Effect, actions, notAction, resources, notResource, Condition }) => ({
    Effect,
    [notAction ? 'NotAction' : 'Action']: actions,
    [notResource ? 'NotResource' : 'Resource']: resources,
    ...(Condition === undefined ? {} : { Condition })
  }))
const document = fc.array(statement, { maxLength: 4 }).map((Statement) => ({ Version: '2012-10-17', Statement }))

const request: fc.Arbitrary<AccessRequest> = fc.record({
  action: fc.constantFrom(...ACTIONS),
  resource: fc.constantFrom(
    '',
    'media',
    'media/ws-1/a.jpg',
    'media/ws-2/b',
    'other/ws-1/a.jpg',
    'media/ws-1/../ws-2/b',
    'media/WS-1/a'
  ),
  context: fc.record({
    's3:prefix': fc.constantFrom(undefined, '', 'ws-1/', 'ws-2/'),
    's3:max-keys': fc.constantFrom(undefined, '5', '1000', 'x', '-1'),
    'aws:sourceip': fc.constantFrom('10.1.2.3', '192.168.1.1', '::ffff:10.2.0.1', 'fe80::1%eth0', '', undefined),
    'aws:securetransport': fc.constant('false'),
    'aws:currenttime': fc.constant('2026-11-20T00:00:00Z')
  })
})

type Document = { Statement: Record<string, unknown>[] }

/** The same decision, made in the plainest way that can be thought of. Undefined: the conditions are left to the code under test. */
function isAllowedByTheBook({ Statement }: Document, { action, resource }: AccessRequest): boolean | undefined {
  if (Statement.some((one) => 'Condition' in one)) return undefined
  const list = (value: unknown) => [value].flat().map(String)
  const fits = (patterns: unknown, text: string, flags: string) =>
    list(patterns).some((pattern) =>
      new RegExp(`^${pattern.replaceAll('*', '[^]*').replaceAll('?', '[^]')}$`, flags).test(text)
    )
  const applies = (one: Record<string, unknown>) => {
    const byAction = 'Action' in one ? fits(one['Action'], action, 'i') : !fits(one['NotAction'], action, 'i')
    const arn = `arn:aws:s3:::${resource}`
    return byAction && ('Resource' in one ? fits(one['Resource'], arn, '') : !fits(one['NotResource'], arn, ''))
  }
  const effects = Statement.filter(applies).map((one) => one['Effect'])
  return effects.includes('Allow') && !effects.includes('Deny')
}

const compiled = (one: object): Policy => parsePolicy(JSON.stringify(one))

test('a policy decides as the rules of the grammar say', { timeout: FUZZ_TIMEOUT_MS }, () => {
  fc.assert(
    fc.property(document, request, (one, asked) => {
      const expected = isAllowedByTheBook(one, asked)
      const allowed = policiesAllow([compiled(one)], asked)
      if (expected !== undefined) expect(allowed).toBe(expected)
    }),
    OPTIONS
  )
})

test('whatever the documents say: each must allow, a deny wins, and nothing is allowed by nobody', {
  timeout: FUZZ_TIMEOUT_MS
}, () => {
  const deny = { Effect: 'Deny', Action: 's3:*', NotResource: 'arn:aws:s3:::none' }
  fc.assert(
    fc.property(document, document, request, (one, other, asked) => {
      const [a, b] = [compiled(one), compiled(other)]
      expect(policiesAllow([a, b], asked)).toBe(policiesAllow([a], asked) && policiesAllow([b], asked))
      const denying = compiled({ ...one, Statement: [...one.Statement, deny] })
      expect(policiesAllow([denying, b], asked) && asked.action.startsWith('s3:')).toBe(false)
      expect([policiesAllow([], asked), policiesAllow([a, compiled({ ...one, Statement: [] })], asked)]).toEqual([
        false,
        false
      ])
    }),
    OPTIONS
  )
})

test('fails closed: a damaged document is refused, or still a document of the grammar', {
  timeout: FUZZ_TIMEOUT_MS
}, () => {
  const tokens = [
    ...[
      '"',
      ',',
      ':',
      '{',
      '}',
      '[',
      ']',
      '\\',
      'null',
      'true',
      '*',
      '"Principal":"*",',
      '"Condition":{},',
      '"__proto__":{},'
    ],
    ...[
      '"Effect":"Allow",',
      '"Resource":"*",',
      '"constructor":1,',
      '\\u0041ction',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how policy variables are written
      '${aws:username}',
      'IfExists',
      'ForAllValues:'
    ]
  ]
  const json = document.map((one) => JSON.stringify(one))
  const known = new Set(['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'])
  fc.assert(
    fc.property(damaged(json, tokens), request, (text, asked) => {
      const policy = refusedOr(() => parsePolicy(text), isPolicyError)
      if (policy === undefined) return
      policiesAllow([policy], asked)
      // Nothing that was not understood has been left out: every member is known, none is repeated.
      const read = JSON.parse(text) as Document & Record<string, unknown>
      expect(Object.keys(read).filter((name) => !['Version', 'Id', 'Statement'].includes(name))).toEqual([])
      for (const one of [read.Statement].flat()) expect(Object.keys(one).filter((name) => !known.has(name))).toEqual([])
      expect(text).not.toContain('${')
      expect(policy.statements).toHaveLength([read.Statement].flat().length)
    }),
    OPTIONS
  )
})

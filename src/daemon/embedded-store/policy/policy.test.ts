import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGlob, globMatches } from './glob.ts'
import { type AccessRequest, PolicyError, parsePolicy, policiesAllow } from './policy.ts'
import type { PolicyContext } from './policy-conditions.ts'

const policy = (...statements: object[]) =>
  parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }))
const request = (action: string, resource: string, context: PolicyContext = {}): AccessRequest => ({
  action,
  resource,
  context
})
const allowAll = policy({ Effect: 'Allow', Action: 's3:*', Resource: '*' })

describe('decision', () => {
  const upload = policy(
    { Effect: 'Allow', Action: ['s3:PutObject', 's3:GetObject'], Resource: 'arn:aws:s3:::media/ws-1/*' },
    {
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: 'arn:aws:s3:::media',
      Condition: { StringLike: { 's3:prefix': 'ws-1/*' } }
    }
  )
  it('denies by default', () => {
    expect(policiesAllow([], request('s3:GetObject', 'media/k'))).toBe(false)
    expect(policiesAllow([policy()], request('s3:GetObject', 'media/k'))).toBe(false)
  })
  it('T7, T8: allows exactly the listed actions inside the prefix', () => {
    const allowed = (action: string, resource: string) => policiesAllow([allowAll, upload], request(action, resource))
    expect(allowed('s3:PutObject', 'media/ws-1/a/b.jpg')).toBe(true)
    expect(allowed('s3:PutObject', 'media/ws-2/a.jpg')).toBe(false)
    expect(allowed('s3:PutObject', 'media/WS-1/a.jpg')).toBe(false)
    expect(allowed('s3:PutObject', 'other/ws-1/a.jpg')).toBe(false)
    expect(allowed('s3:DeleteObject', 'media/ws-1/a.jpg')).toBe(false)
  })
  it('holds a listing to its prefix', () => {
    const list = (prefix?: string) =>
      policiesAllow([upload], request('s3:ListBucket', 'media', { 's3:prefix': prefix }))
    expect([list('ws-1/'), list('ws-1/x'), list('ws-2/'), list(''), list()]).toEqual([true, true, false, false, false])
  })
  it('lets neither document widen the other', () => {
    const narrow = policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' })
    expect(policiesAllow([narrow, allowAll], request('s3:PutObject', 'b/k'))).toBe(false)
    expect(policiesAllow([allowAll, narrow], request('s3:PutObject', 'b/k'))).toBe(false)
    expect(policiesAllow([allowAll, narrow], request('s3:GetObject', 'b/k'))).toBe(true)
  })
  it('an explicit deny in either wins', () => {
    const deny = policy(
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Effect: 'Deny', Action: 's3:Delete*', Resource: 'arn:aws:s3:::b/keep/*' }
    )
    expect(policiesAllow([deny, allowAll], request('s3:DeleteObject', 'b/keep/k'))).toBe(false)
    expect(policiesAllow([allowAll, deny], request('s3:DeleteObject', 'b/keep/k'))).toBe(false)
    expect(policiesAllow([allowAll, deny], request('s3:DeleteObject', 'b/k'))).toBe(true)
  })
  it('T6: an empty statement list allows nothing', () => {
    expect(policiesAllow([allowAll, policy()], request('s3:GetObject', 'b/k'))).toBe(false)
  })
  it('reads NotAction and NotResource', () => {
    const rest = policy({ Effect: 'Allow', NotAction: 's3:Delete*', NotResource: 'arn:aws:s3:::b/secret/*' })
    expect(policiesAllow([rest], request('s3:GetObject', 'b/k'))).toBe(true)
    expect(policiesAllow([rest], request('s3:DeleteObject', 'b/k'))).toBe(false)
    expect(policiesAllow([rest], request('s3:GetObject', 'b/secret/k'))).toBe(false)
  })
})

describe('conditions', () => {
  const holds = (Condition: object, context: PolicyContext) =>
    policiesAllow(
      [policy({ Effect: 'Allow', Action: 's3:*', Resource: '*', Condition })],
      request('s3:GetObject', 'b/k', context)
    )
  it.each<[object, PolicyContext, boolean]>([
    [{ StringEquals: { 's3:prefix': ['a', 'b'] } }, { 's3:prefix': 'b' }, true],
    [{ StringEquals: { 'S3:Prefix': 'b' } }, { 's3:prefix': 'B' }, false],
    [{ StringEqualsIgnoreCase: { 's3:prefix': 'b' } }, { 's3:prefix': 'B' }, true],
    [{ StringNotEquals: { 's3:prefix': ['a', 'b'] } }, { 's3:prefix': 'b' }, false],
    [{ StringNotEquals: { 's3:prefix': 'a' } }, {}, true],
    [{ StringEquals: { 's3:prefix': 'a' } }, {}, false],
    [{ StringEqualsIfExists: { 's3:prefix': 'a' } }, {}, true],
    [{ StringNotLike: { 's3:prefix': 'a*' } }, { 's3:prefix': 'ab' }, false],
    [{ NumericLessThanEquals: { 's3:max-keys': 10 } }, { 's3:max-keys': '10' }, true],
    [{ NumericLessThan: { 's3:max-keys': '10' } }, { 's3:max-keys': '10' }, false],
    [{ NumericEquals: { 's3:max-keys': '10' } }, { 's3:max-keys': 'ten' }, false],
    [
      { DateLessThan: { 'aws:CurrentTime': '2026-12-01T00:00:00Z' } },
      { 'aws:currenttime': '2026-11-20T00:00:00Z' },
      true
    ],
    [{ DateGreaterThan: { 'aws:CurrentTime': '1800000000' } }, { 'aws:currenttime': '2026-11-20T00:00:00Z' }, false],
    [{ Bool: { 'aws:SecureTransport': false } }, { 'aws:securetransport': 'false' }, true],
    [{ IpAddress: { 'aws:SourceIp': '192.168.1.0/24' } }, { 'aws:sourceip': '192.168.1.77' }, true],
    [{ IpAddress: { 'aws:SourceIp': '192.168.1.0/24' } }, { 'aws:sourceip': '::ffff:192.168.1.77' }, true],
    [{ IpAddress: { 'aws:SourceIp': '192.168.1.0/24' } }, { 'aws:sourceip': '192.168.2.1' }, false],
    [{ IpAddress: { 'aws:SourceIp': 'fe80::/10' } }, { 'aws:sourceip': 'fe80::1' }, true],
    [{ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, { 'aws:sourceip': '10.1.2.3' }, false],
    [{ Null: { 's3:prefix': 'true' } }, {}, true],
    [{ Null: { 's3:prefix': 'false' } }, {}, false],
    [{ StringEquals: { 'aws:username': 'u' }, Bool: { 'aws:SecureTransport': 'true' } }, { 'aws:username': 'u' }, false]
  ])('%j against %j is %s', (condition, context, expected) => {
    expect(holds(condition, context)).toBe(expected)
  })
})

describe('T5: grammar', () => {
  const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }
  const document = (changes: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, ...changes }] })
  it.each([
    ['not JSON', '{'],
    ['not an object', '[]'],
    ['no version', JSON.stringify({ Statement: [statement] })],
    ['an old version', JSON.stringify({ Version: '2008-10-17', Statement: [statement] })],
    ['no statement', JSON.stringify({ Version: '2012-10-17' })],
    ['21 statements', JSON.stringify({ Version: '2012-10-17', Statement: Array(21).fill(statement) })],
    ['an unknown member', JSON.stringify({ Version: '2012-10-17', Statement: [statement], Extra: 1 })],
    ['a principal', document({ Principal: '*' })],
    ['an unknown effect', document({ Effect: 'allow' })],
    ['both actions', document({ NotAction: 's3:GetObject' })],
    ['no action', document({ Action: [] })],
    ['a foreign action', document({ Action: 'iam:CreateUser' })],
    ['a bare star as action', document({ Action: '*' })],
    ['a foreign resource', document({ Resource: 'arn:aws:sqs:::q' })],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how policy variables are written
    ['a policy variable', document({ Resource: 'arn:aws:s3:::b/${aws:username}/*' })],
    ['an unknown operator', document({ Condition: { StringMatches: { 's3:prefix': 'a' } } })],
    ['an unknown key', document({ Condition: { StringEquals: { 's3:existingobjecttag': 'a' } } })],
    ['a bad subnet', document({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/33' } } })],
    ['a bad date', document({ Condition: { DateLessThan: { 'aws:CurrentTime': 'tomorrow' } } })],
    ['no value', document({ Condition: { StringEquals: { 's3:prefix': [] } } })],
    ['a repeated member', '{"Version":"2012-10-17","Statement":[],"Statement":[]}'],
    ['a repeated member, escaped', '{"Version":"2012-10-17","Statement":[],"\\u0053tatement":[]}'],
    [
      'a condition that schemas skip',
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"__proto__":{"s3:prefix":"a"}}}]}'
    ]
  ])('refuses %s', (_, json) => {
    expect(() => parsePolicy(json)).toThrow(PolicyError)
  })
  it('takes single values and lists, and one statement without a list', () => {
    expect(parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statement })).statements).toHaveLength(1)
    expect(
      parsePolicy(
        '{"Version":"2012-10-17","Statement":[{"Sid":"a,\\"b","Effect":"Allow","Action":["s3:Get*"],"Resource":["*"]}]}'
      ).statements
    ).toHaveLength(1)
  })
  it('never fails otherwise on garbage', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.json().map((json) => `{"Version":"2012-10-17","Statement":${json}}`)
        ),
        (json) => {
          try {
            parsePolicy(json)
          } catch (error) {
            if (!(error instanceof PolicyError)) throw error
          }
        }
      ),
      { numRuns: 1000 }
    )
  })
})

describe('glob', () => {
  it('agrees with a regular expression', () => {
    const piece = fc.constantFrom('a', 'b', '/', '*', '?')
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }),
        fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 10 }),
        (glob, text) => {
          const pattern = glob.join('')
          const expression = new RegExp(`^${pattern.replaceAll('*', '[^]*').replaceAll('?', '[^]')}$`)
          expect(globMatches(compileGlob(pattern), text.join(''))).toBe(expression.test(text.join('')))
        }
      ),
      { numRuns: 2000 }
    )
  })
  it('counts characters, not code units', () => {
    expect(globMatches(compileGlob('a?b'), 'a\u{1F681}b')).toBe(true)
  })
  it('survives the pattern that makes backtracking matchers explode', () => {
    expect(globMatches(compileGlob(`${'*a'.repeat(500)}b`), 'a'.repeat(1024))).toBe(false)
  })
})

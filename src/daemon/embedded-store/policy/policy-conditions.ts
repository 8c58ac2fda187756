import { BlockList, isIP } from 'node:net'
import { compileGlob, globMatches } from './glob.ts'

/** Facts about a request that conditions may test; an absent member is a missing key. All are derived by the server. */
export interface PolicyContext {
  's3:prefix'?: string | undefined
  's3:delimiter'?: string | undefined
  's3:max-keys'?: string | undefined
  's3:x-amz-acl'?: string | undefined
  /** Address of the socket's peer, never a forwarding header. */
  'aws:sourceip'?: string | undefined
  'aws:securetransport'?: string | undefined
  /** ISO 8601. */
  'aws:currenttime'?: string | undefined
  'aws:username'?: string | undefined
}
export type ConditionKey = keyof PolicyContext

const KEYS: ReadonlySet<string> = new Set<ConditionKey>([
  's3:prefix',
  's3:delimiter',
  's3:max-keys',
  's3:x-amz-acl',
  'aws:sourceip',
  'aws:securetransport',
  'aws:currenttime',
  'aws:username'
])

function isConditionKey(key: string): key is ConditionKey {
  return KEYS.has(key)
}

/** A compiled condition: true when it holds for the context. */
export type Condition = (context: PolicyContext) => boolean

/** How one operator compares a present value with the listed ones. */
type Comparison = {
  /** Turns a listed value into a test of the request's value; null when the listed value is malformed. */
  compile: (listed: string) => ((actual: string) => boolean) | null
  /** Negated operators hold when no listed value matches, and when the key is missing. */
  negated?: boolean
}

const equals = (listed: string) => (actual: string) => actual === listed
const equalsIgnoringCase = (listed: string) => (actual: string) => actual.toLowerCase() === listed.toLowerCase()
const like = (listed: string) => {
  const glob = compileGlob(listed)
  return (actual: string) => globMatches(glob, actual)
}
const ordered =
  (read: (text: string) => number, holds: (actual: number, listed: number) => boolean) => (text: string) => {
    const listed = read(text)
    return Number.isNaN(listed) ? null : (actual: string) => holds(read(actual), listed)
  }

function ordering(prefix: string, read: (text: string) => number): [string, Comparison][] {
  return [
    [`${prefix}Equals`, { compile: ordered(read, (a, b) => a === b) }],
    [`${prefix}NotEquals`, { compile: ordered(read, (a, b) => a === b), negated: true }],
    [`${prefix}LessThan`, { compile: ordered(read, (a, b) => a < b) }],
    [`${prefix}LessThanEquals`, { compile: ordered(read, (a, b) => a <= b) }],
    [`${prefix}GreaterThan`, { compile: ordered(read, (a, b) => a > b) }],
    [`${prefix}GreaterThanEquals`, { compile: ordered(read, (a, b) => a >= b) }]
  ]
}

const readNumber = (text: string) => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN)
const readTime = (text: string) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text))

const OPERATORS: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ['StringEquals', { compile: equals }],
  ['StringNotEquals', { compile: equals, negated: true }],
  ['StringEqualsIgnoreCase', { compile: equalsIgnoringCase }],
  ['StringNotEqualsIgnoreCase', { compile: equalsIgnoringCase, negated: true }],
  ['StringLike', { compile: like }],
  ['StringNotLike', { compile: like, negated: true }],
  ...ordering('Numeric', readNumber),
  ...ordering('Date', readTime),
  ['Bool', { compile: (listed) => (/^(true|false)$/.test(listed) ? equals(listed) : null) }],
  ['IpAddress', { compile: inSubnet }],
  ['NotIpAddress', { compile: inSubnet, negated: true }]
])

/**
 * Compiles one `operator: { key: values }` entry.
 * @throws Error with a sentence for people when operator, key or a value is not supported
 */
export function compileCondition(operator: string, key: string, values: readonly string[]): Condition {
  const name = key.toLowerCase()
  if (!isConditionKey(name)) throw new Error(`The condition key ${key} is not supported.`)
  if (values.length === 0) throw new Error(`The condition on ${key} lists no value.`)
  if (values.some((value) => value.includes('${'))) throw new Error('Policy variables are not supported.')

  if (operator === 'Null') {
    if (values.some((value) => !/^(true|false)$/.test(value))) throw new Error('Null takes "true" or "false".')
    return (context) => values.includes(String(context[name] === undefined))
  }
  const ifExists = operator.endsWith('IfExists')
  const comparison = OPERATORS.get(ifExists ? operator.slice(0, -'IfExists'.length) : operator)
  if (comparison === undefined) throw new Error(`The condition operator ${operator} is not supported.`)
  const tests = values.map((value) => {
    const test = comparison.compile(value)
    if (test === null) throw new Error(`${operator} cannot compare with the value given for ${key}.`)
    return test
  })
  const negated = comparison.negated ?? false
  return (context) => {
    const actual = context[name]
    if (actual === undefined) return ifExists || negated
    return tests.some((test) => test(actual)) !== negated
  }
}

function inSubnet(listed: string): ((actual: string) => boolean) | null {
  const [address = '', bits, ...rest] = listed.split('/')
  const family = familyOf(address)
  const maxBits = family === 'ipv4' ? 32 : 128
  const prefix = bits === undefined ? maxBits : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
  if (family === null || rest.length > 0 || prefix < 0 || prefix > maxBits) return null
  const subnet = new BlockList()
  subnet.addSubnet(address, prefix, family)
  return (actual) => {
    const plain = actual.replace(/^::ffff:(?=\d+\.)/i, '')
    const actualFamily = familyOf(plain)
    return actualFamily !== null && subnet.check(plain, actualFamily)
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address)
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : null
}

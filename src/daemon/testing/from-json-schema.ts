import fc from 'fast-check'
import { z } from 'zod'

/** The part of JSON Schema (2020-12) that our document uses. */
export interface JsonSchema {
  $ref?: string | undefined
  type?: string | string[] | undefined
  const?: unknown
  enum?: unknown[] | undefined
  anyOf?: JsonSchema[] | undefined
  oneOf?: JsonSchema[] | undefined
  allOf?: JsonSchema[] | undefined
  properties?: Record<string, JsonSchema> | undefined
  required?: string[] | undefined
  items?: JsonSchema | undefined
  minItems?: number | undefined
  maxItems?: number | undefined
  minLength?: number | undefined
  maxLength?: number | undefined
  minimum?: number | undefined
  maximum?: number | undefined
  pattern?: string | undefined
  format?: string | undefined
}

export const jsonSchema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.looseObject({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.unknown()).optional(),
    anyOf: z.array(jsonSchema).optional(),
    oneOf: z.array(jsonSchema).optional(),
    allOf: z.array(jsonSchema).optional(),
    properties: z.record(z.string(), jsonSchema).optional(),
    required: z.array(z.string()).optional(),
    items: jsonSchema.optional(),
    minItems: z.number().optional(),
    maxItems: z.number().optional(),
    minLength: z.number().optional(),
    maxLength: z.number().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    pattern: z.string().optional(),
    format: z.string().optional()
  })
)

export interface ValueOptions {
  components: Record<string, JsonSchema>
  /** Values of such a pattern that mean something to the one who is asked. */
  known: (pattern: string) => string[]
}

const dates = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })

const hostile = fc.constantFrom<unknown>(
  null,
  true,
  -1,
  0,
  1e308,
  2 ** 53,
  '',
  ' ',
  '\0',
  '../../etc/passwd',
  '%2e%2e%2f',
  "' OR 1=1 --",
  'a'.repeat(5000),
  '\u202egpj.exe',
  '😀',
  '\r\nX-Header: 1',
  '{{7*7}}',
  [],
  {},
  { __proto__: null, constructor: 1 },
  [[[[[[]]]]]]
)

/** Values that fit the schema mostly; one in `nonsense` leaves is something else. */
export function valuesOf(schema: JsonSchema, options: ValueOptions, nonsense = 12): fc.Arbitrary<unknown> {
  const fitting = fittingValues(schema, options, nonsense)
  return fc.oneof({ weight: nonsense, arbitrary: fitting }, { weight: 1, arbitrary: fc.oneof(hostile, fc.jsonValue()) })
}

function fittingValues(schema: JsonSchema, options: ValueOptions, nonsense: number): fc.Arbitrary<unknown> {
  const inner = (part: JsonSchema) => valuesOf(part, options, nonsense)
  if (schema.$ref !== undefined) return inner(options.components[schema.$ref.split('/').at(-1)!]!)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (choices) return fc.oneof(...choices.map(inner))
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return fc.record(Object.fromEntries(Object.entries(schema.properties ?? {}).map(([k, v]) => [k, inner(v)])), {
        requiredKeys: schema.required ?? []
      })
    case 'array':
      return fc.array(inner(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 5, 5)
      })
    case 'integer':
      return fc.maxSafeInteger().map((n) => within(n, schema))
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => within(n, schema))
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'string':
      return strings(schema, options)
    default:
      return fc.jsonValue()
  }
}

/** Often near the ends of the range, where mistakes are. */
function within(n: number, { minimum = -1e6, maximum = 1e6 }: JsonSchema): number {
  if (n >= minimum && n <= maximum) return n
  return n % 2 === 0 ? minimum : Math.min(maximum, minimum + Math.abs(n % 100))
}

function strings(schema: JsonSchema, options: ValueOptions): fc.Arbitrary<string> {
  const { pattern, minLength = 0, maxLength = 200 } = schema
  if (schema.format === 'date-time') return dates.map((date) => date.toISOString())
  if (schema.format === 'date') return dates.map((date) => date.toISOString().slice(0, 10))
  // Nothing outside this machine is asked.
  if (schema.format === 'uri')
    return fc.constantFrom('http://127.0.0.1:9/', 'https://127.0.0.1:9/a?b', 'ftp://127.0.0.1/')
  if (pattern !== undefined) {
    const known = options.known(pattern)
    const made = fc.stringMatching(new RegExp(pattern))
    return known.length > 0 ? fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, made) : made
  }
  return fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 50), unit: 'binary' })
}

import { type Fields, type FieldType, initialValues, type Json, type JsonObject } from './fields.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from './go-values.ts'

/**
 * Reads a body as the server does: whatever its content type, strictly by the known keys. Throws an `Error` with the
 * text the server answers.
 */
export function decodeBody(text: string, fields: Fields): JsonObject {
  return decodeObject(parseJson(text), fields, '')
}

/** Reads some fields of an object; a value comes out as the server would write it (`60s` as `1m0s`), null as unset. */
export function decodeObject(value: Json, fields: Fields, path: string): JsonObject {
  if (value === null) return {}
  const object = asObject(value)
  const unknown = Object.keys(object).find((key) => !Object.hasOwn(fields, key))
  if (unknown !== undefined) throw new Error(`json: unknown field ${JSON.stringify(path + unknown)}`)
  const set = Object.entries(object).filter(([, inner]) => inner !== null)
  return Object.fromEntries(set.map(([key, inner]) => [key, decodeValue(inner, fields[key]!.type, path + key)]))
}

/** The entries of a JSON object whose keys are names (`paths`). */
export function asObject(value: Json): JsonObject {
  if (isObject(value)) return value
  throw mismatch(value, 'map[string]json.RawMessage')
}

function decodeValue(value: Json, type: FieldType, path: string): Json {
  if (type === 'duration') return formatDuration(parseDuration(asText(value, 'string')))
  if (type === 'size') return formatSize(parseSize(asText(value, 'string')))
  if (type === 'string') return asText(value, 'string')
  if (type === 'bool') {
    if (typeof value !== 'boolean') throw mismatch(value, 'bool')
    return value
  }
  if (typeof type === 'string') return asNumber(value, type)
  if ('oneOf' in type) {
    const text = asText(value, 'string')
    if (!type.oneOf.includes(text)) throw new Error(type.refusal.replace('?', () => text))
    return text
  }
  if ('object' in type) return { ...initialValues(type.object), ...decodeObject(value, type.object, `${path}.`) }
  if (!Array.isArray(value)) {
    throw mismatch(value, typeof type.listOf === 'string' ? `[]${type.listOf}` : '[]json.RawMessage')
  }
  return value.map((inner, index) => decodeValue(inner, type.listOf, `${path}[${index}]`))
}

function asText(value: Json, goType: string): string {
  if (typeof value !== 'string') throw mismatch(value, goType)
  return value
}

function asNumber(value: Json, goType: 'int' | 'uint' | 'float64'): number {
  if (typeof value !== 'number') throw mismatch(value, goType)
  const fits = goType === 'float64' || (Number.isInteger(value) && (goType === 'int' || value >= 0))
  if (!fits) throw new Error(`json: cannot unmarshal number ${value} into Go value of type ${goType}`)
  return value
}

function mismatch(value: Json, goType: string): Error {
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return new Error(`json: cannot unmarshal ${kind} into Go value of type ${goType}`)
}

/** Parses JSON; throws an `Error` in Go's words for the common ways of being wrong. */
export function parseJson(text: string): Json {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const position = /at position (\d+)/.exec(message)?.[1]
    const character = /Unexpected token '(.)'/s.exec(message)?.[1] ?? text[position ? Number(position) : text.length]
    if (character === undefined) throw new Error('unexpected end of JSON input')
    const where = /non-whitespace character after JSON/.test(message)
      ? 'after top-level value'
      : 'looking for beginning of value'
    throw new Error(`invalid character '${character}' ${where}`)
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

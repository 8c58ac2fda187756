import { z } from 'zod'
import { pilotRefusalSchema } from '../../shared/api/pilot.ts'
import type { Endpoint } from '../../shared/endpoint.ts'
import { type ProblemCode, problemSchema } from '../../shared/problem.ts'
import { problemStatuses } from './error-handler.ts'
import { IDEMPOTENCY_HEADER, idempotencyKeySchema } from './idempotency.ts'

type Json = Record<string, unknown>

/** OpenAPI 3.1 of the given operations. Schemas with a `meta({ id })` become components. */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): Json {
  const components: Json = {}
  const paths: Record<string, Json> = {}
  for (const endpoint of endpoints) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method.toLowerCase()]: operation(endpoint, components) }
  }
  toSchema(problemSchema, 'output', components)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Flightcase',
      version,
      description: 'The media base of a drone team. Every operation below is checked against this document.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
    },
    servers: [{ url: '/' }],
    tags: [...new Set(endpoints.map((endpoint) => endpoint.tag))].map((name) => ({ name })),
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        controller: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' }
      },
      schemas: sorted(components)
    }
  }
}

function operation(endpoint: Endpoint, components: Json): Json {
  const parameters = [
    ...parametersOf(endpoint, 'params', components),
    ...parametersOf(endpoint, 'query', components),
    ...parametersOf(endpoint, 'headers', components),
    ...(isRepeatable(endpoint) ? [idempotencyKey] : [])
  ]
  return {
    operationId: endpoint.name,
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...accessOf(endpoint),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(endpoint.body
      ? {
          requestBody: {
            // For the admin listener, what is not there is an object without fields.
            required: endpoint.listener === 'field' || !endpoint.body.safeParse({}).success,
            content: { 'application/json': { schema: toSchema(endpoint.body, 'input', components) } }
          }
        }
      : {}),
    ...(endpoint.rawBody
      ? {
          requestBody: {
            required: !endpoint.isRawBodyOptional,
            content: {
              [endpoint.rawBody === true ? 'application/octet-stream' : endpoint.rawBody]: {
                schema: { type: 'string', format: 'binary' }
              }
            }
          }
        }
      : {}),
    ...(endpoint.form ? { requestBody: formBodyOf(endpoint.form, components) } : {}),
    responses: { ...successOf(endpoint, components), ...failuresOf(endpoint, components) }
  }
}

const idempotencyKey: Json = {
  name: IDEMPOTENCY_HEADER,
  in: 'header',
  required: false,
  description: 'The same request with the same key is done once within a day; again gives the same answer.',
  schema: toSchema(idempotencyKeySchema, 'input', {})
}

/** Whether repeating it can be told from asking twice; transfers of bytes can be repeated anyway. */
function isRepeatable({ method, rawBody, headers, listener }: Endpoint): boolean {
  return ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) && !rawBody && !headers && listener !== 'field'
}

function formBodyOf(form: NonNullable<Endpoint['form']>, components: Json): Json {
  const fields = toSchema(form.fields, 'input', components) as { properties?: Json; required?: string[] }
  return {
    required: true,
    content: {
      'multipart/form-data': {
        schema: {
          ...fields,
          properties: { ...fields.properties, [form.file]: { type: 'string', format: 'binary' } },
          required: [...(fields.required ?? []), form.file]
        }
      }
    }
  }
}

function successOf(endpoint: Endpoint, components: Json): Json {
  const { response } = endpoint
  if (response === 'empty') return { [endpoint.emptyStatus ?? 204]: { description: 'Done' } }
  if (response === 'event-stream')
    return { 200: { description: 'Events', content: { 'text/event-stream': { schema: { type: 'string' } } } } }
  if (response === 'ndjson')
    return { 200: { description: 'Lines', content: { 'application/x-ndjson': { schema: { type: 'string' } } } } }
  if (response === 'bytes') {
    const content = { '*/*': { schema: { type: 'string', format: 'binary' } } }
    const others = Object.entries(endpoint.alsoAnswers ?? {}).map(([status, description]) => [status, { description }])
    return {
      ...Object.fromEntries(others),
      200: { description: 'The whole file', content },
      206: { description: 'The range asked for', content },
      304: { description: 'Unchanged' }
    }
  }
  return {
    200: {
      description: 'Success',
      content: { 'application/json': { schema: toSchema(response, 'output', components) } }
    }
  }
}

function accessOf(endpoint: Endpoint): Json {
  if (endpoint.listener === 'field' && endpoint.params) return { security: [{ controller: [] }] }
  if (endpoint.role !== 'none') return { description: `Needs the role ${endpoint.role}.` }
  return { security: endpoint.errors.includes('unauthenticated') ? [{}, { bearer: [] }] : [] }
}

function failuresOf(endpoint: Endpoint, components: Json): Json {
  if (endpoint.listener === 'field') {
    const content = { 'application/json': { schema: toSchema(pilotRefusalSchema, 'output', components) } }
    return { default: { description: 'Refused; the message says why', content } }
  }
  const always: ProblemCode[] =
    endpoint.role === 'none'
      ? ['too_many_requests', 'internal_error']
      : ['unauthenticated', 'forbidden', 'too_many_sign_ins', 'too_many_requests', 'internal_error']
  if (endpoint.params || endpoint.query || endpoint.headers || endpoint.body) always.push('invalid_request')
  if (endpoint.body) always.push('content_type_not_json', 'invalid_json', 'payload_too_large')
  if (['POST', 'PUT', 'PATCH', 'DELETE'].includes(endpoint.method)) always.push('disk_full')
  if (isRepeatable(endpoint)) always.push('invalid_request', 'idempotency_key_reused', 'idempotency_key_in_use')
  if (endpoint.secretAnswer) always.push('idempotent_answer_not_kept')
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of new Set([...endpoint.errors, ...always]))
    byStatus.set(problemStatuses[code], [...(byStatus.get(problemStatuses[code]) ?? []), code])
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.join(', '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
      }
    ])
  )
}

const places = { params: 'path', query: 'query', headers: 'header' } as const

function parametersOf(endpoint: Endpoint, part: 'params' | 'query' | 'headers', components: Json): Json[] {
  const schema = endpoint[part]
  if (!schema) return []
  // In an address or a header everything is text; what that text means is what follows from reading it.
  const { properties = {} } = toSchema(schema, 'output', components) as { properties?: Record<string, Json> }
  const { required = [] } = toSchema(schema, 'input', components) as { required?: string[] }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: places[part],
    required: part === 'params' || required.includes(name),
    schema: property
  }))
}

function toSchema(schema: z.ZodType, io: 'input' | 'output', components: Json): Json {
  const { $defs, $schema, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any'
  }) as Json
  for (const [id, definition] of Object.entries((relocate($defs) as Json | undefined) ?? {}))
    components[id] ??= definition
  const id = schema.meta()?.id
  const body = relocate(rest) as Json
  if (id === undefined || '$ref' in body) return body
  delete body['id']
  components[id] ??= body
  return { $ref: `#/components/schemas/${id}` }
}

/** Points `$ref`s from the schema's own definitions to the document's components. */
function relocate(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(relocate)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => !(key === 'id' && typeof value === 'string'))
      .map(([key, value]) => [
        key,
        key === '$ref' && typeof value === 'string'
          ? value.replace('#/$defs/', '#/components/schemas/')
          : relocate(value)
      ])
  )
}

function sorted(components: Json): Json {
  return Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1)))
}

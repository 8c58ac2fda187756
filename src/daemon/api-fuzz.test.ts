import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { packageRoot } from './package-info.ts'
import { type JsonSchema, jsonSchema, type ValueOptions, valuesOf } from './testing/from-json-schema.ts'
import { type LiveBase, startLiveBase } from './testing/live-base.ts'
import { TEST_PILOT_TOKEN, type TestDaemon } from './testing/test-daemon.ts'

const RUNS = Number(process.env['FLIGHTCASE_TEST_FUZZ_RUNS'] ?? 20)
const SEED = Number(process.env['FLIGHTCASE_TEST_SEED'] ?? Date.now() % 2 ** 31)

const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        operationId: z.string(),
        parameters: z
          .array(
            z.object({
              name: z.string(),
              in: z.enum(['path', 'query', 'header']),
              required: z.boolean(),
              schema: jsonSchema
            })
          )
          .default([]),
        requestBody: z.object({ content: z.record(z.string(), z.object({ schema: jsonSchema })) }).optional(),
        responses: z.record(z.string(), z.unknown())
      })
    )
  ),
  components: z.object({ schemas: z.record(z.string(), jsonSchema) })
})

const document = documentSchema.parse(JSON.parse(readFileSync(join(packageRoot, 'resources/openapi.json'), 'utf8')))
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation }))
)
type Operation = (typeof operations)[number]

/** What goes over the wire for an operation. */
interface Call {
  target: string
  headers: Record<string, string>
  body?: NonNullable<RequestInit['body']>
}

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

function callsOf(operation: Operation, options: ValueOptions): fc.Arbitrary<Call> {
  const parameters = (place: 'path' | 'query') =>
    fc.record(
      Object.fromEntries(
        operation.parameters.filter((p) => p.in === place).map((p) => [p.name, valuesOf(p.schema, options, 30)])
      ),
      { requiredKeys: operation.parameters.filter((p) => p.in === place && p.required).map((p) => p.name) }
    )
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) =>
    bodiesOf(type, schema, options)
  )
  return fc.tuple(parameters('path'), parameters('query'), bodies[0] ?? fc.constant({})).map(([path, query, rest]) => {
    const filled = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encode(text(path[name])))
    const search = Object.entries(query).map(([name, value]) => `${name}=${encode(text(value))}`)
    return { headers: {}, ...rest, target: [filled, ...(search.length ? [search.join('&')] : [])].join('?') }
  })
}

/** As a client would; a lone surrogate cannot be written in UTF-8. */
const encode = (value: string) => encodeURIComponent(value.toWellFormed())

function bodiesOf(type: string, schema: JsonSchema, options: ValueOptions): fc.Arbitrary<Omit<Call, 'target'>> {
  if (type === 'application/json')
    return valuesOf(schema, options, 30).map((value) => ({
      headers: { 'content-type': type },
      body: JSON.stringify(value)
    }))
  if (type === 'multipart/form-data')
    return valuesOf(schema, options, 30).map((value) => {
      const form = new FormData()
      for (const [name, field] of Object.entries(value ?? {}))
        if (name === 'file') form.append(name, new Blob([text(field)]), text(field).slice(0, 200))
        else form.append(name, text(field))
      return { headers: {}, body: form }
    })
  return fc
    .uint8Array({ maxLength: 100 })
    .map((bytes) => ({ headers: { 'content-type': type }, body: Buffer.from(bytes) }))
}

/** Things that exist, so that calls come further than "not found". */
async function furnish(base: LiveBase): Promise<string[]> {
  const ids: string[] = []
  for (const content of ['one', 'two', 'two', 'three']) {
    const form = new FormData()
    form.append('namespace', content)
    form.append('file', new Blob([content]), `${content}.txt`)
    const answer = await base.fetch('/api/v1/media/upload', { method: 'POST', body: form })
    const { asset, reference } = (await answer.json()) as { asset: { id: string }; reference: { id: string } }
    ids.push(asset.id, reference.id)
  }
  const begun = await base.fetch('/api/v1/uploads', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'a', sizeBytes: 20 })
  })
  ids.push(((await begun.json()) as { uploadId: string }).uploadId)
  const source = await base.add()
  base.mediamtx.addSegment(source.path_name, '2026-01-01T00:00:00.000001Z', 60)
  await base.fetch(`/api/v1/sources/${source.id}/record/status`)
  const recorded = await base.fetch(
    `/api/v1/sources/${source.id}/record/files?from=2025-12-31T00:00:00Z&to=2026-01-02T00:00:00Z`
  )
  const { items } = (await recorded.json()) as { items: { id: string }[] }
  ids.push(source.id, ...items.map(({ id }) => id))
  return ids
}

test(`every operation of the document answers nonsense properly (seed ${SEED})`, { timeout: 600_000 }, async () => {
  const base = await startLiveBase()
  const ids = await furnish(base)
  const options = {
    components: document.components.schemas,
    known: (pattern: string) => (pattern === '^[0-9a-z]{26}$' ? ids : [])
  }
  const faults: string[] = []
  for (const operation of operations)
    await fc
      .assert(
        fc.asyncProperty(callsOf(operation, options), (call) => answersProperly(base, operation, call)),
        { numRuns: RUNS, seed: SEED, includeErrorInReport: true, interruptAfterTimeLimit: 30_000 }
      )
      .catch((error: unknown) => faults.push(`${operation.operationId}: ${(error as Error).message}`))
  expect(faults.join('\n')).toBe('')
})

async function answersProperly(base: TestDaemon, operation: Operation, call: Call): Promise<void> {
  const isField = operation.operationId.startsWith('pilot')
  const url = (isField ? base.ready.field.url : base.ready.admin.url) + call.target
  const secret = isField ? { 'x-auth-token': TEST_PILOT_TOKEN } : { authorization: `Bearer ${base.ready.admin.token}` }
  const end = new AbortController()
  const response = await fetch(url, {
    method: operation.method,
    headers: { ...call.headers, ...secret } as Record<string, string>,
    signal: end.signal,
    redirect: 'manual',
    ...(call.body === undefined ? {} : { body: call.body })
  })
  const type = response.headers.get('content-type') ?? ''
  // A stream of events does not end by itself.
  const isEndless = type.startsWith('text/event-stream')
  const body = isEndless ? '' : await response.text()
  if (isEndless) end.abort()
  // The fake media server speaks no WebRTC, and takes no address that MediaMTX would refuse.
  const isAway = response.status === 503 && /"(live_unavailable|recording_away)"/.test(body)
  if (response.status >= 500 && !isAway) throw new Error(`${response.status} ${body}`)
  const isDocumented = String(response.status) in operation.responses || 'default' in operation.responses
  // What is another path by now (an empty or dotted segment) is somebody else's answer.
  const isOtherRoute = /route_not_found|method_not_allowed/.test(body) || /\/\.{0,2}(\/|\?|$)/.test(call.target)
  if (!isDocumented && !isOtherRoute) throw new Error(`${response.status} is not in the document: ${body}`)
  if (!isField && response.status >= 400 && !type.startsWith('application/problem+json'))
    throw new Error(`${response.status} comes as ${type}: ${body.slice(0, 200)}`)
}

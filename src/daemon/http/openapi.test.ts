import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { adminContract, apiContract } from '../../shared/api/contract.ts'
import { packageRoot, version } from '../package-info.ts'
import { openApiDocument } from './openapi.ts'

type Json = { [key: string]: Json } & { [key: string]: unknown }

test('resources/openapi.json is what the contract says', () => {
  const file = JSON.parse(readFileSync(join(packageRoot, 'resources/openapi.json'), 'utf8')) as unknown
  expect(file).toEqual(openApiDocument(apiContract, version))
})

test('every operation is there with its answers, and every reference leads somewhere', () => {
  const document = openApiDocument(apiContract, version) as Json
  const schemas = (document['components'] as Json)['schemas'] as Json
  for (const endpoint of adminContract) {
    const operation = ((document['paths'] as Json)[endpoint.path] as Json)[endpoint.method.toLowerCase()] as Json
    expect(operation['operationId']).toBe(endpoint.name)
    for (const code of endpoint.errors) expect(JSON.stringify(operation['responses'])).toContain(code)
  }
  for (const [, target] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g))
    expect(Object.keys(schemas)).toContain(target)
  expect(JSON.stringify(document)).not.toContain('#/$defs/')
})

test('operation names are unique', () => {
  const names = apiContract.map((endpoint) => endpoint.name)
  expect(new Set(names).size).toBe(names.length)
})

interface Operation {
  operationId: string
  parameters?: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { required: boolean }
  responses: object
}

describe('what a request may look like', () => {
  const { paths } = openApiDocument(apiContract, version) as { paths: Record<string, Record<string, Operation>> }
  const operations = new Map(
    Object.values(paths).flatMap((methods) =>
      Object.values(methods).map((operation) => [operation.operationId, operation])
    )
  )
  const parametersOf = (name: string) => operations.get(name)?.parameters ?? []
  const requiredHeadersOf = (name: string) =>
    parametersOf(name).flatMap((parameter) => (parameter.in === 'header' && parameter.required ? [parameter.name] : []))

  test('every parameter has a schema that says something', () => {
    for (const name of operations.keys())
      for (const parameter of parametersOf(name))
        expect(Object.keys(parameter.schema), `${name} ${parameter.name}`).not.toEqual([])
  })

  test('a body is asked for where one is needed', () => {
    const isNeeded = (name: string) => operations.get(name)?.requestBody?.required
    expect(['createToken', 'putUploadPart', 'appendToTusUpload'].map(isNeeded)).toEqual([true, true, true])
    expect(['collectGarbage', 'retryJobs', 'createTusUpload'].map(isNeeded)).toEqual([false, false, false])
  })

  test('a picture that is made when somebody asks for it may find no room', () => {
    for (const name of ['getThumbnail', 'getRendition', 'getFileUrl'])
      expect(operations.get(name)?.responses, name).toHaveProperty('507')
  })

  test('keys that make it repeatable have no spaces', () => {
    const key = parametersOf('createToken').find((parameter) => parameter.name === 'Idempotency-Key')
    expect(key).toMatchObject({ in: 'header', required: false, schema: { type: 'string', pattern: '^[!-~]{1,255}$' } })
  })

  test('tus has its headers, and repeats by its own rules', () => {
    expect(requiredHeadersOf('describeTus')).toEqual([])
    expect(requiredHeadersOf('createTusUpload')).toEqual(['Tus-Resumable', 'Upload-Length'])
    expect(requiredHeadersOf('getTusUpload')).toEqual(['Tus-Resumable'])
    expect(requiredHeadersOf('appendToTusUpload')).toEqual(['Tus-Resumable', 'Upload-Offset'])
    expect(parametersOf('endTusUpload').map((parameter) => parameter.name)).toEqual(['uploadId', 'Tus-Resumable'])
  })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
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

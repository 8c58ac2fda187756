import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openApiDocument } from '../src/daemon/http/openapi.ts'
import { version } from '../src/daemon/package-info.ts'
import { apiContract } from '../src/shared/api/contract.ts'

// Writes resources/openapi.json; with --check it only compares and fails when the file is stale.
const file = join(import.meta.dirname, '../resources/openapi.json')
const document = `${JSON.stringify(openApiDocument(apiContract, version), null, 2)}\n`
if (!process.argv.includes('--check')) {
  writeFileSync(file, document)
} else if (readFileSync(file, 'utf8') !== document) {
  console.error('resources/openapi.json is stale: run "npm run openapi" and commit the result')
  process.exitCode = 1
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { adminContract } from '../src/shared/api/contract.ts'

const root = join(import.meta.dirname, '..')
const rows = readFileSync(join(root, 'docs/api.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| ---') && !line.startsWith('| there '))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))

/** An address with its parameters left out, whatever they are called. */
const shape = (path: string) => path.replace(/\{\w+\}/g, '{}').replace(/\?.*$/, '')
const operations = new Set(adminContract.map(({ method, path }) => `${method} ${shape(path)}`))

describe('the table of what other systems call', () => {
  test('has a row for everything', () => expect(rows.length).toBeGreaterThan(50))

  test.each(rows.map(([there, here, proof]) => ({ there, here, proof })))(
    '$there: what it names exists',
    ({ here, proof }) => {
      for (const [, method, path] of here!.matchAll(/`(GET|POST|PUT|PATCH|DELETE) ([^`]+)`/g))
        expect(operations).toContain(`${method} ${shape(path!)}`)
      const [, file, title] = /^(\S+): (.+)$/.exec(proof!)!
      const code = readFileSync(join(root, 'src/daemon/features', `${file}.test.ts`), 'utf8')
      expect(code).toContain(title)
    }
  )
})

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../package-info.ts'

/** The conformance and security cases of the store: authentication, presigned links, objects, STS with policies. */
const GROUPS = { A: 22, P: 14, O: 43, T: 22 }
const CASES = Object.entries(GROUPS).flatMap(([group, count]) =>
  Array.from({ length: count }, (_, i) => `${group}${i + 1}`)
)

/** Ids that a name begins with (`O5, O6: …`, or alone in the row of a table) or holds in brackets (`… (O41)`). */
function idsIn(source: string): string[] {
  const list = String.raw`[APOT]-?\d+(?:, [APOT]-?\d+)*`
  const found = source.matchAll(new RegExp(String.raw`['"\`](${list})(?=[:'"\`])|\((${list})\)`, 'g'))
  return [...found].flatMap(([, atBegin, inBrackets]) => (atBegin ?? inBrackets ?? '').split(', '))
}

const files = globSync('src/daemon/embedded-store/**/*.test.ts', { cwd: packageRoot })
const tested = new Set(files.flatMap((file) => idsIn(readFileSync(join(packageRoot, file), 'utf8'))))

test('every case is named by a test', () => {
  expect(CASES.filter((id) => !tested.has(id))).toEqual([])
})

test('docs/conformance.md tells the right numbers', () => {
  const page = readFileSync(join(packageRoot, 'docs/conformance.md'), 'utf8')
  for (const [group, count] of Object.entries(GROUPS))
    expect(page).toContain(`| ${group}1 … ${group}${count} | ${count} |`)
  expect(page).toContain(`All ${CASES.length} cases`)
})

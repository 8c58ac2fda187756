import { expect, test } from 'vitest'
import { lockProblems } from '../scripts/lock-problems.ts'

const integrity = 'sha512-AAAA'
const lock = (packages: Record<string, object>) => ({ lockfileVersion: 3, packages })

test('a complete lock has no problems, nested versions included', () => {
  expect(
    lockProblems(
      lock({
        '': { dependencies: { a: '1.0.0' }, devDependencies: { b: '^2.0.0' } },
        'node_modules/a': { version: '1.0.0', integrity, dependencies: { b: '1.0.0', '@s/c': '*' } },
        'node_modules/a/node_modules/b': { version: '1.0.0', integrity, dependencies: { '@s/c': '>=1' } },
        'node_modules/b': { version: '2.1.0', integrity },
        'node_modules/@s/c': { version: '1.0.0', integrity }
      })
    )
  ).toEqual([])
})

test('a dropped platform package is found', () => {
  expect(
    lockProblems(
      lock({
        '': { dependencies: { tool: '1.0.0' } },
        'node_modules/tool': {
          version: '1.0.0',
          integrity,
          optionalDependencies: { '@tool/linux': '1.0.0', '@tool/mac': '1.0.0' }
        },
        'node_modules/@tool/linux': { version: '1.0.0', integrity }
      })
    )
  ).toEqual(['node_modules/tool: @tool/mac is missing'])
})

test('a dependency hidden in a sibling does not count', () => {
  expect(
    lockProblems(
      lock({
        '': { dependencies: { a: '1.0.0' } },
        'node_modules/a': { version: '1.0.0', integrity },
        'node_modules/a/node_modules/b': { version: '1.0.0', integrity, dependencies: { c: '1' } },
        'node_modules/a/node_modules/b/node_modules/d': {
          version: '1.0.0',
          integrity,
          dependencies: { b: '1', c: '1' }
        }
      })
    )
  ).toEqual([
    'node_modules/a/node_modules/b: c is missing',
    'node_modules/a/node_modules/b/node_modules/d: c is missing'
  ])
})

test('another version than the exact one, a missing hash and an address are found', () => {
  expect(
    lockProblems(
      lock({
        '': { dependencies: { a: '1.0.0' } },
        'node_modules/a': { version: '1.0.1', resolved: 'https://example.com/a.tgz' }
      })
    )
  ).toEqual([
    'the project: wants a 1.0.0, the lock has 1.0.1',
    'node_modules/a: no integrity hash',
    'node_modules/a: records an address'
  ])
})

test('something else than a lock is refused', () => {
  expect(() => lockProblems({ lockfileVersion: 1, dependencies: {} })).toThrow(/lockfileVersion/)
})

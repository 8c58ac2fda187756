import { act, renderHook } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { AssetSummary } from '../../../../shared/api/assets.ts'
import { useChosen } from './use-chosen.ts'

const list = (ids: string) => [...ids].map((id) => ({ id }) as AssetSummary)

function follow(ids: string, openId: string | null = null) {
  const { result, rerender } = renderHook((props) => useChosen(list(props.ids), props.openId), {
    initialProps: { ids, openId }
  })
  return { rerender, chosen: () => result.current[0], choose: (id: string) => act(() => result.current[1](id)) }
}

test('nothing is chosen until something is moved to or opened', () => {
  const { chosen, choose, rerender } = follow('abc')
  expect(chosen()).toBeNull()
  choose('b')
  expect(chosen()).toBe('b')
  rerender({ ids: 'abc', openId: 'c' })
  rerender({ ids: 'abc', openId: null })
  expect(chosen()).toBe('c')
})

test.each([
  ['the next one follows', 'b', 'ac', 'c'],
  ['the last one is followed by the one before', 'c', 'ab', 'b'],
  ['it stays itself where others come and go', 'b', 'xbc', 'b'],
  ['nothing follows in an empty list', 'b', '', 'b']
])('when the chosen one leaves, %s', (_, from, ids, expected) => {
  const { chosen, choose, rerender } = follow('abc')
  choose(from)
  rerender({ ids, openId: null })
  expect(chosen()).toBe(expected)
})

test('one that is opened by its address and not in the list is left alone', () => {
  const { chosen, rerender } = follow('abc', 'z')
  rerender({ ids: 'abc', openId: null })
  expect(chosen()).toBe('z')
})

import { screen } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { renderScreen } from '../../testing/render-screen.tsx'
import { DayPicker } from './DayPicker.tsx'

const dayOf = (day: string) => ({
  ...{ day, start: `${day}T00:00:00.000Z`, end: `${day}T23:59:59.999Z` },
  ...{ segments: 1, duration: 60, size_bytes: null }
})
const open = (day: string) =>
  renderScreen(<DayPicker days={[dayOf('2026-11-21')]} earlier="2026-11-15" day={day} onDay={vi.fn()} />, {})
const isOff = (name: string) => screen.getByRole('button', { name }).hasAttribute('disabled')

test('the next day that is not known yet is an earlier one', () => {
  open('2026-11-21')
  expect([isOff('Earlier day'), isOff('Later day')]).toEqual([false, true])
})

test('from a day earlier than all that is known, no step is called earlier that leads to a later one', () => {
  open('2026-11-01')
  expect([isOff('Earlier day'), isOff('Later day')]).toEqual([true, false])
})

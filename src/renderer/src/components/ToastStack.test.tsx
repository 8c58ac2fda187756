import { fireEvent, screen } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { runLatestAction, showToast, toasts } from '../lib/toasts.ts'
import { renderScreen } from '../testing/render-screen.tsx'

afterEach(() => toasts.set([]))

test('a message leads to the file it is about, which Ctrl+Z does not', async () => {
  const open = vi.fn()
  renderScreen(null, {})
  showToast({ tone: 'info', text: 'Kept', open })
  expect(runLatestAction()).toBe(false)
  fireEvent.click(await screen.findByRole('button', { name: 'Open the file' }))
  expect(open).toHaveBeenCalledTimes(1)
  expect(screen.queryByText('Kept')).toBeNull()
})

import { fireEvent, screen, within } from '@testing-library/react'
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

test('messages are within whatever has the full screen', async () => {
  const stage = document.body.appendChild(document.createElement('div'))
  let full: Element | null = stage
  Object.defineProperty(document, 'fullscreenElement', { get: () => full, configurable: true })
  renderScreen(null, {})
  showToast({ tone: 'info', text: 'Saved' })
  await screen.findByText('Saved')
  fireEvent(document, new Event('fullscreenchange'))
  expect(within(stage).getByText('Saved')).toBeTruthy()
  full = null
  fireEvent(document, new Event('fullscreenchange'))
  expect(within(stage).queryByText('Saved')).toBeNull()
  expect(screen.getByText('Saved')).toBeTruthy()
  stage.remove()
  Reflect.deleteProperty(document, 'fullscreenElement')
})

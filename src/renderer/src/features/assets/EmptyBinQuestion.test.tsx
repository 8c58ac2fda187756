import { fireEvent, screen, waitFor } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { refusal, renderScreen } from '../../testing/render-screen.tsx'
import { EmptyBinQuestion } from './EmptyBinQuestion.tsx'

const bin = { at: '2026-11-21T01:00:00.000Z', assetTotal: 1200, freeableBytes: 5_000_000 }

/** Asks, with answers to the steps of emptying given one after the other by `answer`. */
function ask() {
  const steps: ((answer: Response) => void)[] = []
  const onClose = vi.fn()
  renderScreen(<EmptyBinQuestion onClose={onClose} />, { 'GET /api/v1/bin': bin })
  const bodies: unknown[] = []
  const others = fetch
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    if (url !== '/api/v1/bin/empty') return others(url, init)
    bodies.push(JSON.parse(String(init?.body)))
    return new Promise<Response>((resolve) => steps.push(resolve))
  })
  const answer = async (step: object | Response) => {
    await waitFor(() => expect(steps.length).toBeGreaterThan(0))
    steps.shift()?.(step instanceof Response ? step : Response.json(step))
  }
  return { onClose, bodies, answer, pending: () => steps.length }
}

const confirm = async () => {
  await screen.findByText(/All 1,200 files in it are deleted for good. This frees 5 MB/)
  fireEvent.click(screen.getByRole('button', { name: 'Empty the bin' }))
}

test('nothing is deleted by keeping it', async () => {
  const { onClose, bodies } = ask()
  await screen.findByText(/This frees 5 MB/)
  fireEvent.click(screen.getByRole('button', { name: 'Keep them' }))
  expect(onClose).toHaveBeenCalledTimes(1)
  expect(bodies).toEqual([])
})

test('what was shown is deleted step by step, and the sum is told', async () => {
  const { onClose, bodies, answer } = ask()
  await confirm()
  await answer({ purged: 100, freedBytes: 1_000_000, isMore: true })
  const progress = await screen.findByRole('progressbar', {}, { timeout: 5000 })
  await waitFor(() => expect(progress.getAttribute('aria-valuenow')).toBe('8'))
  await answer({ purged: 1100, freedBytes: 3_000_000, isMore: false })
  expect(await screen.findByText('1,200 files are deleted for good. 4 MB became free.')).toBeTruthy()
  expect(onClose).toHaveBeenCalledTimes(1)
  expect(bodies).toEqual(Array(2).fill({ before: bin.at, limit: 100 }))
})

test('it can be stopped, and tells what was deleted', async () => {
  const { answer, pending } = ask()
  await confirm()
  fireEvent.click(await screen.findByRole('button', { name: 'Stop' }))
  await answer({ purged: 100, freedBytes: 1_000_000, isMore: true })
  expect(await screen.findByText('100 files are deleted for good. 1 MB became free.')).toBeTruthy()
  expect(pending()).toBe(0)
})

test('a refusal is told', async () => {
  const { onClose, answer } = ask()
  await confirm()
  await answer(refusal(403, 'forbidden'))
  expect(await screen.findByText(/could not be emptied completely. You are not allowed/)).toBeTruthy()
  expect(onClose).toHaveBeenCalledTimes(1)
})

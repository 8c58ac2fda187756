import { fireEvent, screen, within } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import type { Check } from '../../../../shared/api/doctor.ts'
import { setPreferences } from '../../lib/preferences.ts'
import { renderScreen, status } from '../../testing/render-screen.tsx'
import { DoctorScreen } from './DoctorScreen.tsx'

const path = 'GET /api/v1/doctor'
const room: Check = { id: 'data_room', state: 'ok', code: 'fine', facts: { freeBytes: 57e9 }, copy: [] }
const off: Check = { id: 'media_server', state: 'off', code: 'off', facts: {}, copy: [] }
const open: Check = {
  id: 'data_folder',
  state: 'warning',
  code: 'others_may_look',
  facts: { path: '/srv/data' },
  copy: ["chmod 700 '/srv/data'"]
}
const away: Check = {
  id: 'store',
  state: 'problem',
  code: 'unreachable',
  facts: { place: 'http://store.lan:9000', bucket: 'media', reported: 'connect ECONNREFUSED' },
  copy: ['FLIGHTCASE_S3_ENDPOINT']
}

const doctor = (...checks: Check[]) => ({ checkedAt: '2026-11-21T12:00:00.000Z', checks })
const show = (...checks: Check[]) => renderScreen(<DoctorScreen />, { [path]: doctor(...checks) })
const ids = () => screen.getAllByTestId('check').map((check) => check.dataset['id'])

test('a base that is well says so in large letters, and what is in order below', async () => {
  show(off, room)
  expect((await screen.findByTestId('verdict')).textContent).toBe('All is well')
  expect(ids()).toEqual(['data_room', 'media_server'])
  expect(screen.getByText('57 GB are free on the disk of the data folder.')).toBeTruthy()
})

test('the worst stands first, with what helps, what was reported and what to copy', async () => {
  show(room, open, away)
  expect((await screen.findByTestId('verdict')).textContent).toBe('1 problem · 1 warning')
  expect(ids()).toEqual(['store', 'data_folder', 'data_room'])
  const [store, folder] = screen.getAllByTestId('check') as [HTMLElement, HTMLElement]
  for (const text of ['Problem', /http:\/\/store\.lan:9000 does not answer/, /Check that it runs/, /ECONNREFUSED/])
    expect(within(store).getByText(text)).toBeTruthy()
  expect(within(folder).getByRole('button', { name: /chmod 700 '\/srv\/data'/ })).toBeTruthy()
})

test('it is checked again when somebody asks', async () => {
  const { calls } = show(room)
  fireEvent.click(await screen.findByRole('button', { name: 'Check again' }))
  await vi.waitFor(() => expect(calls.filter((call) => call === path)).toHaveLength(2))
})

test('a check that failed says that, in Chinese too', async () => {
  show({ ...away, code: 'no_answer', facts: { limitMs: 8000 }, copy: [] })
  expect(await screen.findByText('This did not answer within 8 seconds.')).toBeTruthy()
  setPreferences({ language: 'zh-CN' })
  expect(await screen.findByText(/^在 8.*内没有应答。$/)).toBeTruthy()
})

test('what the media server is short of is told in the language at hand; what it says in English is folded away', async () => {
  const warnings = ['Streams cannot be watched by HLS: it is off (`hls`).', 'Something new.']
  const facts = { version: 'v1.20.1', place: 'http://mtx.lan:9997', returns: 0, reported: warnings.join('\n') }
  show({ id: 'media_server', state: 'warning', code: 'remarks', facts, copy: [] })
  const card = await screen.findByTestId('check')
  expect(within(card).getByText('Some screens cannot show streams: HLS is switched off.')).toBeTruthy()
  setPreferences({ language: 'zh-CN' })
  expect(await within(card).findByText(/HLS 已关闭/)).toBeTruthy()
  const folded = within(card).getByRole<HTMLDetailsElement>('group')
  expect(folded.open).toBe(false)
  expect(folded.textContent).toBe(`报告内容${warnings.join('')}`)
  folded.remove()
  expect(card.textContent).not.toMatch(/watched by|Something/)
})

test('a link for some workspaces is told why there is nothing to see', async () => {
  const { calls } = renderScreen(<DoctorScreen />, { 'GET /api/v1/status': { ...status, workspaceIds: ['alpha'] } })
  expect(await screen.findByText('This takes a link for the whole base')).toBeTruthy()
  expect(calls).not.toContain(path)
})

import { fireEvent, screen, within } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import type { StoreSettings } from '../../../../shared/api/settings.ts'
import { setPreferences } from '../../lib/preferences.ts'
import { refusal, renderScreen, status } from '../../testing/render-screen.tsx'
import { SettingsScreen } from './SettingsScreen.tsx'

const unset = (value: string | null) => ({ value, isSet: false, source: 'default', where: null }) as const
const chosen = (value: string | null) => ({ value, isSet: true, source: 'screen', where: 'settings.toml' }) as const
// The window of the tests cannot scroll; browsers answer with a promise, which an effect must not give on.
HTMLElement.prototype.scrollIntoView = () => Promise.resolve()
const fresh: StoreSettings = {
  settings: {
    mode: unset('embedded'),
    profile: unset('minio'),
    endpoint: unset(null),
    publicEndpoint: unset(null),
    region: unset('us-east-1'),
    bucket: unset('media'),
    accessKey: unset(null),
    secretKey: unset(null)
  },
  modes: ['embedded', 'external'],
  profiles: ['minio', 'aws', 'something-new'],
  present: { mode: 'embedded', place: '/srv/data/store', bucket: 'media' },
  needsRestart: false,
  movesAway: false,
  assetTotal: 8214,
  assetBytes: 398e9
}
const elsewhere: StoreSettings['settings'] = {
  ...fresh.settings,
  mode: chosen('external'),
  endpoint: chosen('http://nas.lan:9000'),
  accessKey: chosen(null),
  secretKey: chosen(null)
}
const path = '/api/v1/settings/store'
const show = (settings: StoreSettings, answers = {}) =>
  renderScreen(<SettingsScreen />, { [`GET ${path}`]: settings, ...answers })
const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } })
const press = (name: string) => fireEvent.click(screen.getByRole('button', { name }))

test('another store is chosen: what stays behind is said before, what it waits for after, and it can be taken back', async () => {
  const saved = { ...fresh, settings: elsewhere, needsRestart: true, movesAway: true }
  const { bodies, calls } = show(fresh, { [`PATCH ${path}`]: saved, [`POST ${path}/revert`]: fresh })
  fireEvent.click(await screen.findByRole('radio', { name: 'In an S3 store' }))
  expect(screen.getByText(/8,214 files \(398 GB\) are in the present store and stay there/)).toBeTruthy()
  type('Address of the store', 'http://nas.lan:9000')
  type('Access key', 'key')
  type('Secret key', 'hunter2')
  press('Save')
  await vi.waitFor(
    () =>
      expect(bodies[`PATCH ${path}`]).toEqual({
        mode: 'external',
        endpoint: 'http://nas.lan:9000',
        accessKey: 'key',
        secretKey: 'hunter2'
      }),
    20_000
  )
  expect((await screen.findByTestId('verdict')).textContent).toBe('This holds from the next start on')
  expect(screen.getByText(/goes on to be kept in \/srv\/data\/store/)).toBeTruthy()
  expect(screen.getByLabelText<HTMLInputElement>('Secret key').value).toBe('')
  fireEvent.click(screen.getAllByRole('button', { name: 'Keep the present store' })[0]!)
  await vi.waitFor(() => expect(calls).toContain(`POST ${path}/revert`), 20_000)
  await vi.waitFor(() => expect(screen.queryByTestId('verdict')).toBeNull(), 20_000)
})

test('what is set where the program is started is shown with its place and is not sent', async () => {
  const bucket = { value: 'flights', isSet: true, source: 'environment', where: 'FLIGHTCASE_S3_BUCKET' } as const
  const settings = { ...fresh, settings: { ...elsewhere, bucket } }
  const { bodies } = show(settings, { [`PATCH ${path}`]: settings })
  const field = await screen.findByLabelText<HTMLInputElement>('Bucket')
  expect([field.value, field.disabled]).toEqual(['flights', true])
  expect(screen.getByTestId('origin').textContent).toContain('Set by the environment: FLIGHTCASE_S3_BUCKET.')
  expect(screen.getByLabelText('Secret key').getAttribute('placeholder')).toBe('Stays as it is')
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Save' }).disabled).toBe(true)
  type('Region', 'eu-1')
  press('Save')
  await vi.waitFor(() => expect(bodies[`PATCH ${path}`]).toEqual({ region: 'eu-1' }), 20_000)
})

test('the address for controllers is not taken along into another mode', async () => {
  const settings = { ...elsewhere, publicEndpoint: chosen('https://nas.example') }
  const { bodies } = show(
    { ...fresh, modes: ['embedded', 'external', 'gateway'], settings },
    { [`PATCH ${path}`]: fresh }
  )
  const address = () => screen.getByLabelText<HTMLInputElement>('Address for controllers').value
  const choose = (name: string) => fireEvent.click(screen.getByRole('radio', { name }))
  await screen.findByLabelText('Address for controllers')
  expect(screen.getByText(/reach the store by another address/)).toBeTruthy()
  choose('On this computer')
  expect(address()).toBe('')
  choose('In an S3 store')
  expect(address()).toBe('https://nas.example')
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Save' }).disabled).toBe(true)
  choose('In an S3 store, through this computer')
  expect(address()).toBe('')
  expect(screen.getByText(/reach this computer by another address/)).toBeTruthy()
  // It is the same store, behind another door.
  expect(screen.queryByText(/stay there/)).toBeNull()
  press('Save')
  await vi.waitFor(() => expect(bodies[`PATCH ${path}`]).toEqual({ mode: 'gateway', publicEndpoint: null }), 20_000)
})

test('what cannot go together is said, with what was reported', async () => {
  const details = { missing: [], reason: 'needs_role', reported: 'FLIGHTCASE_S3_ROLE_ARN: needed' }
  const problem = { type: 'x', title: 'x', status: 422, code: 'settings_incomplete', requestId: 'r', details }
  show({ ...fresh, settings: elsewhere }, { [`POST ${path}/test`]: Response.json(problem, { status: 422 }) })
  await screen.findByLabelText('Address of the store')
  press('Test connection')
  const alert = await screen.findByRole('alert')
  expect(within(alert).getByText(/wants a role for the keys of controllers/)).toBeTruthy()
  expect(within(alert).getByText('FLIGHTCASE_S3_ROLE_ARN: needed')).toBeTruthy()
})

test('what the base refuses stands at its field', async () => {
  const details = { in: 'body', issues: [{ path: 'endpoint', message: 'no' }] }
  const problem = { type: 'x', title: 'x', status: 400, code: 'invalid_request', requestId: 'r', details }
  show(
    { ...fresh, settings: elsewhere },
    {
      [`PATCH ${path}`]: Response.json(problem, { status: 400 }),
      [`POST ${path}/test`]: refusal(500, 'internal_error')
    }
  )
  await screen.findByLabelText('Address of the store')
  type('Address of the store', 'nas.lan')
  press('Save')
  expect(await screen.findByText('This begins with http:// or https://.')).toBeTruthy()
  press('Test connection')
  expect(await screen.findByRole('alert')).toBeTruthy()
})

test('a test says what works, what does not and what helps, in Chinese too', async () => {
  const step = (name: string, outcome: string, detail: string, reported: string | null = null) => ({
    name,
    outcome,
    detail,
    reported
  })
  const steps = [
    step('reach', 'ok', 'ok'),
    step('clock', 'ok', 'ok'),
    step('credentials', 'failed', 'wrong_secret_key', 'SignatureDoesNotMatch'),
    ...['bucket', 'write', 'sts', 'policy'].map((name) => step(name, 'skipped', 'not_tried'))
  ]
  const { bodies } = show({ ...fresh, settings: elsewhere }, { [`POST ${path}/test`]: { steps } })
  await screen.findByLabelText('Address of the store')
  type('Secret key', 'wrong')
  press('Test connection')
  const report = await screen.findByTestId('connection')
  expect(bodies[`POST ${path}/test`]).toEqual({ secretKey: 'wrong' })
  expect(within(report).getByText('This does not work yet')).toBeTruthy()
  expect(within(report).getByText(/does not belong to this access key/)).toBeTruthy()
  expect(within(report).getByText('SignatureDoesNotMatch')).toBeTruthy()
  expect(
    within(report)
      .getAllByRole('img')
      .map((icon) => icon.getAttribute('aria-label'))
  ).toEqual(['In order', 'In order', 'Problem', ...Array(4).fill('Not tried')])
  setPreferences({ language: 'zh-CN' })
  expect(await within(report).findByText(/私有密钥与此访问密钥不匹配/)).toBeTruthy()
  // What was tried is another one from here on.
  type('私有密钥', 'right')
  expect(screen.queryByTestId('connection')).toBeNull()
})

test('a clock that differs is told by how much', async () => {
  const reported = new Date(Date.now() - 40 * 60_000).toISOString()
  const steps = [{ name: 'clock', outcome: 'failed', detail: 'clock_differs', reported }]
  show({ ...fresh, settings: elsewhere }, { [`POST ${path}/test`]: { steps } })
  await screen.findByLabelText('Address of the store')
  press('Test connection')
  expect(await screen.findByText(/differ by 40 minutes/)).toBeTruthy()
})

test('others than administrators are told why there is nothing to see', async () => {
  const { calls } = renderScreen(<SettingsScreen />, { 'GET /api/v1/status': { ...status, role: 'operator' } })
  expect(await screen.findByText('This takes a link for administrators')).toBeTruthy()
  expect(calls).not.toContain(`GET ${path}`)
})

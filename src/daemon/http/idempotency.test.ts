import { describe, expect, test } from 'vitest'
import { deleteAsset, listAssets } from '../../shared/api/assets.ts'
import { listTokens } from '../../shared/api/system.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { storedKeys } from '../testing/stored-keys.ts'
import { startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts'
import { testDatabase } from '../testing/test-database.ts'
import { Idempotency, type RepeatableCall } from './idempotency.ts'

const DAY_MS = 24 * 3_600_000

function openBench() {
  const db = testDatabase()
  const clock = new ManualClock()
  const idempotency = new Idempotency({ db, clock })
  const call = (change: Partial<RepeatableCall> = {}): RepeatableCall => ({
    callerId: 'token:1',
    operation: 'createThing',
    key: 'k1',
    content: { a: 1 },
    isSecret: false,
    ...change
  })
  const note = (value: string) => {
    db.prepare('INSERT INTO setting (key, value) VALUES (?, ?)').run(value, value)
    return { value }
  }
  const notes = () => db.prepare('SELECT key FROM setting').pluck().all()
  return { db, clock, idempotency, call, note, notes }
}

describe('work is done once', () => {
  test.each(['at once', 'later'])('when it ends %s', async (when) => {
    const { idempotency, call, note, notes } = openBench()
    const work = () => (when === 'later' ? Promise.resolve().then(() => note('one')) : note('one'))
    expect(await idempotency.run(call(), work)).toEqual({ answer: { value: 'one' } })
    expect(await idempotency.run(call(), work)).toEqual({ replayed: { value: 'one' } })
    expect(notes()).toEqual(['one'])
  })

  test('for each caller, operation and key', async () => {
    const { idempotency, call, note, notes } = openBench()
    await idempotency.run(call(), () => note('1'))
    await idempotency.run(call({ callerId: 'token:2' }), () => note('2'))
    await idempotency.run(call({ operation: 'other' }), () => note('3'))
    await idempotency.run(call({ key: 'k2' }), () => note('4'))
    expect(notes()).toEqual(['1', '2', '3', '4'])
  })

  test('and its key is good for no other request', async () => {
    const { idempotency, call, note, notes } = openBench()
    await idempotency.run(call(), () => note('1'))
    const other = call({ content: { a: 2 } })
    await expect(idempotency.run(other, () => note('2'))).rejects.toMatchObject({ code: 'idempotency_key_reused' })
    expect(notes()).toEqual(['1'])
  })

  test('also when it gives nothing', async () => {
    const { idempotency, call } = openBench()
    await idempotency.run(call(), () => undefined)
    expect(await idempotency.run(call(), () => undefined)).toEqual({ replayed: undefined })
  })

  test('until a day is over', async () => {
    const { idempotency, call, clock, note, notes, db } = openBench()
    await idempotency.run(call(), () => note('1'))
    clock.advanceMs(DAY_MS - 1)
    await idempotency.sweep(new AbortController().signal)
    expect(await idempotency.run(call(), () => note('2'))).toHaveProperty('replayed')
    clock.advanceMs(1)
    await idempotency.run(call(), () => note('2'))
    expect(notes()).toEqual(['1', '2'])
    clock.advanceMs(DAY_MS)
    await idempotency.sweep(new AbortController().signal)
    expect(db.prepare('SELECT * FROM idempotency').all()).toEqual([])
  })
})

test('while it runs, the same request is told so', async () => {
  const { idempotency, call } = openBench()
  const { promise, resolve } = Promise.withResolvers<string>()
  const first = idempotency.run(call(), () => promise)
  const again = idempotency.run(call(), () => promise)
  await expect(again).rejects.toMatchObject({ code: 'idempotency_key_in_use' })
  resolve('done')
  expect(await first).toEqual({ answer: 'done' })
  expect(await idempotency.run(call(), () => promise)).toEqual({ replayed: 'done' })
})

test.each(['at once', 'later'])('what fails %s leaves the key free', async (when) => {
  const { idempotency, call, note } = openBench()
  const fail = () => {
    throw new Error('not now')
  }
  const work = () => (when === 'later' ? Promise.resolve().then(fail) : fail())
  await expect(idempotency.run(call(), work)).rejects.toThrow('not now')
  expect(await idempotency.run(call(), () => note('1'))).toEqual({ answer: { value: '1' } })
})

test('what fails on its way to waiting leaves nothing half done', async () => {
  const { db, idempotency, call, note, notes } = openBench()
  const work = async () => {
    db.transaction(() => {
      note('half')
      throw new Error('not now')
    })
    return Promise.resolve('never')
  }
  await expect(idempotency.run(call(), work)).rejects.toThrow('not now')
  expect(notes()).toEqual([])
})

test('an answer that cannot be written down takes the work back with it', async () => {
  const { db, idempotency, call, note, notes } = openBench()
  db.sql.exec(`CREATE TEMP TRIGGER full BEFORE INSERT ON idempotency BEGIN SELECT raise(ABORT, 'disk full'); END`)
  await expect(idempotency.run(call(), () => note('1'))).rejects.toThrow('disk full')
  expect(notes()).toEqual([])
})

test('what ran when the program ended is done when it is asked for again; what was done is not', async () => {
  const { db, clock, idempotency, call, note } = openBench()
  void idempotency.run(call({ key: 'interrupted' }), () => new Promise(() => {}))
  await idempotency.run(call({ key: 'done' }), () => note('1'))
  const next = new Idempotency({ db, clock })
  expect(await next.run(call({ key: 'interrupted' }), () => note('2'))).toEqual({ answer: { value: '2' } })
  expect(await next.run(call({ key: 'done' }), () => note('3'))).toEqual({ replayed: { value: '1' } })
})

/** What the answers below tell. */
interface Told {
  asset: { id: string }
  reference: { id: string }
  uploadId: string
  secret: string
}

describe('over HTTP', () => {
  const send = async (base: TestDaemon, method: string, path: string, key: string, body?: unknown) => {
    const isForm = body instanceof FormData
    const answer = await base.fetch(path, {
      method,
      headers: { 'idempotency-key': key, ...(body && !isForm ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: isForm ? body : JSON.stringify(body) } : {})
    })
    const isReplay = answer.headers.get('idempotency-replayed') === 'true'
    return { status: answer.status, isReplay, body: answer.status === 204 ? null : ((await answer.json()) as Told) }
  }
  const formOf = (bytes: string, name = 'a.bin') => {
    const form = new FormData()
    form.append('namespace', 'posts')
    form.append('file', new Blob([bytes]), name)
    return form
  }
  const upload = (base: TestDaemon, key: string, form: FormData) =>
    send(base, 'POST', '/api/v1/media/upload', key, form)

  test('a repeated call gives the answer of the first one, quoted key or not', async () => {
    const base = await startTestDaemon()
    const { body } = await upload(base, 'u1', formOf('bytes'))
    const { asset, reference } = body!
    const path = `/api/v1/references/${reference.id}`
    const first = await send(base, 'DELETE', path, '"r1"')
    expect(first).toEqual({
      status: 200,
      isReplay: false,
      body: { assetId: asset.id, refCount: 0, state: 'pending_reference' }
    })
    expect(await send(base, 'DELETE', path, 'r1')).toEqual({ ...first, isReplay: true })
    expect(await send(base, 'DELETE', path, 'r2')).toMatchObject({ status: 404 })
    const other = `/api/v1/references/${asset.id}`
    expect(await send(base, 'DELETE', other, 'r1')).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' }
    })
  })

  test('an empty answer is repeated as one', async () => {
    const base = await startTestDaemon()
    const { body } = await send(base, 'POST', '/api/v1/uploads', 'b1', { name: 'a', sizeBytes: 3 })
    expect((await send(base, 'POST', '/api/v1/uploads', 'b1', { name: 'a', sizeBytes: 3 })).body).toEqual(body)
    const path = `/api/v1/uploads/${body!.uploadId}`
    expect(await send(base, 'DELETE', path, 'd1')).toEqual({ status: 204, isReplay: false, body: null })
    expect(await send(base, 'DELETE', path, 'd1')).toEqual({ status: 204, isReplay: true, body: null })
    expect((await send(base, 'DELETE', path, 'd2')).status).toBe(404)
  })

  test('a form that comes twice makes one asset and leaves nothing behind', async () => {
    const base = await startTestDaemon()
    const [first, again] = [await upload(base, 'u1', formOf('bytes')), await upload(base, 'u1', formOf('bytes'))]
    expect(again).toEqual({ ...first, isReplay: true })
    for (const form of [formOf('other'), formOf('bytes', 'b.bin')])
      expect(await upload(base, 'u1', form)).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } })
    await base.daemon.idle()
    expect((await base.api.call(listAssets, { query: {} })).items).toHaveLength(1)
    expect(storedKeys(base.dataDir)).toHaveLength(1)
  })

  test('a token is issued once, and its secret is kept nowhere', async () => {
    const base = await startTestDaemon()
    const create = () => send(base, 'POST', '/api/v1/tokens', 't1', { name: 'wall', role: 'viewer' })
    expect(await create()).toMatchObject({ status: 200, body: { secret: expect.stringMatching(/^fc_/) } })
    expect(await create()).toMatchObject({ status: 409, body: { code: 'idempotent_answer_not_kept' } })
    expect((await base.api.call(listTokens, {})).items).toHaveLength(1)
  })

  test('a session is opened once, and its cookie is not promised again', async () => {
    const base = await startTestDaemon()
    expect(await send(base, 'POST', '/api/v1/session', 's1')).toMatchObject({ status: 200 })
    expect(await send(base, 'POST', '/api/v1/session', 's1')).toMatchObject({
      status: 409,
      body: { code: 'idempotent_answer_not_kept' }
    })
  })

  test('a body that is nested without end is refused', async () => {
    const base = await startTestDaemon()
    const levels = 400_000
    const answer = await base.fetch('/api/v1/tokens', {
      method: 'POST',
      headers: { 'idempotency-key': 't1', 'content-type': 'application/json' },
      body: `{"name":"wall","role":"viewer","more":${'['.repeat(levels)}${']'.repeat(levels)}}`
    })
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'invalid_request' }])
    expect((await base.api.call(listTokens, {})).items).toEqual([])
  })

  test('what is gone by now is still the answer, also to a token limited to its workspace', async () => {
    const base = await startTestDaemon()
    const { body } = await send(base, 'POST', '/api/v1/tokens', 't1', {
      name: 'limited',
      role: 'admin',
      workspaceIds: ['default']
    })
    const assetId = (await upload(base, 'u1', formOf('bytes'))).body!.asset.id
    await base.api.call(deleteAsset, { params: { assetId } })
    const purge = async () => {
      const headers = { 'idempotency-key': 'p1', authorization: `Bearer ${body!.secret}` }
      const answer = await base.fetch(`/api/v1/assets/${assetId}?permanent=true`, { method: 'DELETE', headers })
      return { status: answer.status, body: await answer.json() }
    }
    const first = await purge()
    expect(first).toMatchObject({ status: 200, body: { outcome: 'purged' } })
    expect(await purge()).toEqual(first)
  })

  test.each(['', 'two words', 'ü', 'x'.repeat(256)])('refuses the key %j', async (key) => {
    const base = await startTestDaemon()
    const wire = Buffer.from(key).toString('latin1')
    const body = { name: 'wall', role: 'viewer' }
    expect(await send(base, 'POST', '/api/v1/tokens', wire, body)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', details: { in: 'headers' } }
    })
    expect((await base.api.call(listTokens, {})).items).toEqual([])
  })
})

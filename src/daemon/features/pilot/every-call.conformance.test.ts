import { expect, test } from 'vitest'
import { PILOT_TOKEN } from '../../testing/pilot-base.ts'
import {
  Bench,
  CALLBACK,
  callback,
  FAST,
  fastUpload,
  fiveCalls,
  K,
  miss,
  ok,
  refused,
  tiny,
  WS,
  WS_B
} from './conformance-bench.ts'
import { holdConformance } from './conformance-table.ts'

holdConformance('every-call', {
  C27: async (bench) => {
    for (const body of ['{"fingerprint":', '', 'null', '[]', '7', '"x"'])
      expect(await bench.post(fastUpload(), body)).toEqual(refused(400, 'invalid json'))
  },

  C28: async (bench) => {
    for (const path of fiveCalls) {
      expect(await bench.post(path(), {}, { 'x-auth-token': '' })).toEqual(refused(401, 'missing x-auth-token'))
      expect(await bench.post(path(), {}, { 'x-auth-token': 'wrong' })).toEqual(refused(401, 'invalid x-auth-token'))
    }
    const { secret, id } = bench.base.access.createToken({ name: 'RC', role: 'controller' })
    expect(await bench.post(fastUpload(), FAST, { 'x-auth-token': secret })).toEqual(miss())
    bench.base.access.revokeToken(id)
    expect(await bench.post(fastUpload(), FAST, { 'x-auth-token': secret })).toEqual(
      refused(401, 'invalid x-auth-token')
    )
    expect(await bench.post(fastUpload(), FAST, { 'x-auth-token': 'the-admin-token' })).toMatchObject({ status: 401 })
  },

  C29: async (bench) => {
    expect(await bench.post(fastUpload(), '{"fingerprint":', { 'x-auth-token': 'wrong' })).toMatchObject({
      status: 401
    })
    expect(await bench.post(fastUpload('a%2fb'), '{', { 'x-auth-token': 'wrong' })).toMatchObject({ status: 401 })
    expect(await bench.post(fastUpload('%zz'), '{', { 'x-auth-token': 'wrong' })).toMatchObject({ status: 401 })
  },

  C30: async (bench) => {
    const answer = await fetch(bench.base.url + fastUpload(), {
      method: 'POST',
      headers: { 'X-AUTH-TOKEN': PILOT_TOKEN },
      body: JSON.stringify(FAST)
    })
    expect(answer.status).toBe(200)
  },

  C43: async () => {
    const bench = await Bench.open({ workspaceMode: 'strict' })
    for (const path of fiveCalls) expect(await bench.post(path(), {})).toEqual(refused(404, 'workspace not found'))
    bench.base.rows.repository.ensureWorkspace(WS, 0)
    expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
  },

  C44: async (bench) => {
    expect(await bench.post(fastUpload('another_workspace-1'), FAST)).toEqual(miss())
    expect(bench.base.db.prepare('SELECT * FROM workspace').all()).toEqual([])
  },

  C45: async (bench) => {
    const heads = await bench.headsDuring(async () => {
      for (const segment of ['..%2f..%2fetc', 'x'.repeat(200), '%zz', '-x', 'a.b', '%00', '%e4%b8%ad'])
        for (const path of fiveCalls)
          expect(await bench.post(path(segment), {})).toEqual(refused(400, 'invalid workspace_id'))
    })
    expect(heads).toBe(0)
  },

  C46: async (bench) => {
    const { secret } = bench.base.access.createToken({ name: 'RC', role: 'controller', workspaceIds: [WS] })
    for (const path of fiveCalls) {
      expect(await bench.post(path(WS_B), {}, { 'x-auth-token': secret })).toEqual(refused(403, 'workspace forbidden'))
    }
    expect(await bench.post(fastUpload(), FAST, { 'x-auth-token': secret })).toEqual(miss())
  },

  C47: async (bench) => {
    expect(await bench.post(`/${fastUpload()}`, FAST)).toEqual(miss())
    expect(await bench.post(fastUpload().replace('/v1/', '//v1///'), FAST)).toEqual(miss())
  },

  C48: async (bench) => {
    for (const path of fiveCalls)
      expect(await bench.post(path(), undefined, {}, 'GET')).toEqual(refused(404, 'not found'))
    expect(await bench.post('/media/api/v2/x', {}, { 'x-auth-token': '' })).toEqual(refused(404, 'not found'))
    expect(await bench.post('/', undefined, {}, 'GET')).toEqual(refused(404, 'not found'))
  },

  C55: async (bench) => {
    expect(await bench.post('/health', undefined, { 'x-auth-token': '' }, 'GET')).toEqual({
      status: 200,
      body: { code: 0, message: 'ok', data: {} }
    })
  }
})

test('OPTIONS is answered 204 with what a page may send', async () => {
  const bench = await Bench.open()
  const answer = await fetch(bench.base.url + fastUpload(), { method: 'OPTIONS' })
  expect(answer.status).toBe(204)
  expect(answer.headers.get('access-control-allow-headers')).toBe('Content-Type, x-auth-token')
  expect(answer.headers.get('access-control-allow-methods')).toBe('GET, POST, OPTIONS')
})

test('hostile JSON changes nothing and is answered', async () => {
  const bench = await Bench.open()
  await bench.put(K)
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
  const bodies = [
    `{"fingerprint":"F","name":"n","ext":${deep}}`,
    '{"__proto__":{"fingerprint":"F","name":"n"}}',
    '{"fingerprint":1e999,"name":{"toString":"x"}}',
    `{"fingerprint":"${'F'.repeat(513)}","name":"n"}`,
    '{"fingerprint":"\\ud800","name":"n"}'
  ]
  const answers: unknown[] = []
  for (const body of bodies) answers.push(await bench.post(fastUpload(), body))
  expect(answers).toEqual([miss('F'), ...Array(4).fill(refused(400, 'missing fingerprint/name'))])
  expect(({} as Record<string, unknown>)['fingerprint']).toBeUndefined()
  const strange = {
    ...CALLBACK,
    name: 'x'.repeat(20_000),
    path: 7,
    sub_file_type: 1e300,
    ext: { ...CALLBACK.ext, sn: null, is_original: 'perhaps' },
    metadata: {
      created_time: {},
      absolute_altitude: 'high',
      gimbal_yaw_degree: null,
      shoot_position: { lat: [], lng: 'east' }
    }
  }
  expect(await bench.post(callback(), strange)).toEqual(ok(K))
  expect(bench.rows()[0]!.name).toHaveLength(4096)
  expect(bench.assets()).toMatchObject([{ taken_source: 'received', latitude: null, longitude: null }])
})

test('a large body behind a wrong token is not waited for, and the refusal arrives', async () => {
  const bench = await Bench.open()
  const body = JSON.stringify({ tiny_fingerprints: ['x'.repeat(5_000_000)] })
  for (let round = 0; round < 3; round++)
    expect(await bench.post(tiny(), body, { 'x-auth-token': 'wrong' })).toEqual(refused(401, 'invalid x-auth-token'))
})

test('invalid UTF-8 is no JSON', async () => {
  const bench = await Bench.open()
  const body = Buffer.concat([Buffer.from('{"fingerprint":"F","name":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])
  const answer = await fetch(bench.base.url + fastUpload(), {
    method: 'POST',
    headers: { 'x-auth-token': PILOT_TOKEN },
    body
  })
  expect([answer.status, await answer.json()]).toEqual([400, { code: 400, message: 'invalid json', data: {} }])
})

test('a wrong token shows on the tether board by its address alone, until that address signs in', async () => {
  const bench = await Bench.open()
  const shown = () => bench.base.board.listRefusedSignIns()
  await bench.post(fastUpload(), FAST, { 'x-auth-token': '' })
  expect(shown()).toEqual([])
  await bench.post(fastUpload('%zz'), FAST, { 'x-auth-token': 'mistyped' })
  expect(shown()).toEqual([{ remoteAddress: '127.0.0.1', at: expect.any(String) }])
  await bench.post(fastUpload(), FAST)
  expect(shown()).toEqual([])
})

import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { authorization, type ContractDriver, eventually, ok, refusal } from './driver.ts'

/** C01 to C36: the control API, path settings, and paths nobody sends to. */
export function configCases(contract: ContractDriver): void {
  it('C01 tells its version and when it was started', async () => {
    expect(await contract.api('GET', 'info')).toMatchObject({
      status: 200,
      json: {
        version: expect.stringMatching(/^v1\.20\./),
        started: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/)
      }
    })
  })

  it.each([
    ['C02', 'GET', 'nope'],
    ['C03', 'POST', 'paths/list']
  ])('%s answers %s of %s, which is no route, with a text', async (_case, method, path) => {
    const reply = await contract.api(method, path)
    expect(reply).toMatchObject({ status: 404, text: '404 page not found', json: null })
    expect(reply.headers.get('content-type')).toMatch(/^text\/plain/)
  })

  it('C04 adds a path with defaults', async () => {
    expect(await contract.add()).toMatchObject(ok)
    await eventually(contract.getConfig).toMatchObject({
      status: 200,
      json: { name: contract.name, source: 'publisher', record: false }
    })
  })

  it('C05 refuses to add a path that is there', async () => {
    await contract.add()
    expect(await contract.add()).toMatchObject(refusal('path already exists'))
  })

  it('C06 lets one of two parallel adds win', async () => {
    const replies = await Promise.all([contract.add(), contract.add()])
    const [won, lost] = replies.sort((one, other) => one.status - other.status)
    expect(won).toMatchObject(ok)
    expect(lost).toMatchObject(refusal('path already exists'))
  })

  it('C07 takes encoded slashes as slashes', async () => {
    expect(await contract.api('POST', `config/paths/add/${encodeURIComponent(contract.name)}`, {})).toMatchObject(ok)
    expect(await contract.add()).toMatchObject(refusal('path already exists'))
  })

  const charactersAllowed = 'can contain only alphanumeric characters, underscore, dot, minus, slash'
  it.each([
    ['C08', '', 'invalid name'],
    ['C09', 'my%20path', `invalid path name 'my path': ${charactersAllowed}`],
    ['C10', 'live/x/', "invalid path name 'live/x/': can't end with a slash"],
    ['C11', '/live', "invalid path name '/live': can't begin with a slash"]
  ])('%s refuses the name "%s"', async (_case, name, error) => {
    expect(await contract.api('POST', `config/paths/add/${name}`, {})).toMatchObject(refusal(error))
  })

  it('C12 refuses a dot segment, which no URL library lets through', async () => {
    const { status, body } = await postUnfolded(contract, '/v3/config/paths/add/a/../b')
    expect({ status, json: body }).toEqual(refusal("invalid path name 'a/../b': can't contain dot path segments"))
  })

  it('C13 refuses a key it does not know and changes nothing', async () => {
    expect(await contract.add({ RecordPath: 'x' })).toMatchObject(refusal('json: unknown field "RecordPath"'))
    expect(await contract.getConfig()).toMatchObject({ status: 404 })
  })

  it.each([
    ['C14', 'no body', '', 'unexpected end of JSON input'],
    ['C15', 'a wrong type', { record: 'yes' }, 'json: cannot unmarshal string into Go value of type bool'],
    ['C16', 'an unknown scheme', { source: 'webrtc://h/x' }, "invalid source: 'webrtc://h/x'"],
    ['C17', 'a user without password', { source: 'rtsp://user@h/x' }, 'username and password must be both provided'],
    ['C18', 'a record path without %path', { recordPath: '/r/%s-%f' }, "'recordPath' must contain %path"],
    ['C19', 'a record path without %f', { recordPath: '/r/%path/%s' }, "'recordPath' must contain %f"],
    [
      'C20',
      'files removed before they are complete',
      { recordSegmentDuration: '2h', recordDeleteAfter: '1h' },
      "'recordDeleteAfter' cannot be lower than 'recordSegmentDuration'"
    ],
    [
      'C21',
      'files of more than a day',
      { recordSegmentDuration: '25h', recordDeleteAfter: '0s' },
      'maximum segment duration is 1 day'
    ],
    ['C22', 'a push path on demand', { sourceOnDemand: true }, "'sourceOnDemand' is useless when source is 'publisher'"]
  ])('%s refuses %s', async (_case, _what, settings, error) => {
    expect(await contract.add(settings)).toMatchObject(refusal(error))
  })

  it.each([
    [
      'C23',
      { recordSegmentDuration: '60s', recordDeleteAfter: '0s' },
      { recordSegmentDuration: '1m0s', recordDeleteAfter: '' }
    ],
    ['C24', { recordDeleteAfter: '48h' }, { recordDeleteAfter: '2d' }]
  ])('%s writes durations in its own way', async (_case, settings, written) => {
    await contract.add(settings)
    await eventually(contract.getConfig).toMatchObject({ status: 200, json: written })
  })

  it('C25 has no settings of a path that is not there', async () => {
    expect(await contract.getConfig()).toMatchObject(refusal('path configuration not found', 404))
  })

  it('C26 does not patch a path that is not there', async () => {
    expect(await contract.patch({ record: true })).toMatchObject(refusal('path not found', 404))
  })

  it('C27 does not delete a path that is not there', async () => {
    expect(await contract.remove()).toMatchObject(refusal('path not found', 404))
  })

  it('C28 creates a path by replacing it', async () => {
    expect(await contract.replace({ record: true })).toMatchObject(ok)
    await eventually(contract.getConfig).toMatchObject({ status: 200, json: { record: true } })
  })

  it('C29 leaves alone what a patch does not name', async () => {
    await contract.addAndWait({ record: true, maxReaders: 5 })
    expect(await contract.patch({ record: false })).toMatchObject(ok)
    await eventually(contract.getConfig).toMatchObject({ json: { record: false, maxReaders: 5 } })
  })

  it('C30 takes back to its default what a replacement does not name', async () => {
    await contract.addAndWait({ record: true, maxReaders: 5 })
    expect(await contract.replace({})).toMatchObject(ok)
    await eventually(contract.getConfig).toMatchObject({ json: { record: false, maxReaders: 0 } })
  })

  it('C31 removes the path with its settings', async () => {
    await contract.addAndWait()
    expect(await contract.remove()).toMatchObject(ok)
    await eventually(contract.getPath).toMatchObject(refusal('path not found', 404))
  })

  it('C32 gives pages of paths by name', async () => {
    for (const name of ['live/c-00000000', 'live/a-00000000', 'live/b-00000000']) {
      expect(await contract.api('POST', `config/paths/add/${name}`, {})).toMatchObject(ok)
    }
    await eventually(() => contract.api('GET', 'config/paths/list?itemsPerPage=2&page=1')).toMatchObject({
      status: 200,
      json: { itemCount: 3, pageCount: 2, items: [{ name: 'live/c-00000000' }] }
    })
  })

  it.each([
    ['C33', 'itemsPerPage=0', 'invalid items per page'],
    ['C34', 'page=abc', 'strconv.ParseUint: parsing "abc": invalid syntax']
  ])('%s refuses a page nobody can ask for (%s)', async (_case, query, error) => {
    expect(await contract.api('GET', `paths/list?${query}`)).toMatchObject(refusal(error))
  })

  it('C35 shows a path nobody sends to', async () => {
    await contract.addAndWait()
    expect((await contract.getPath()).json).toEqual({
      name: contract.name,
      confName: contract.name,
      ready: false,
      readyTime: null,
      available: false,
      availableTime: null,
      online: false,
      onlineTime: null,
      source: null,
      tracks: [],
      tracks2: [],
      readers: [],
      inboundBytes: 0,
      outboundBytes: 0,
      inboundFramesInError: 0,
      bytesReceived: 0,
      bytesSent: 0
    })
  })

  it('C36 calls a camera online that nobody reaches', async () => {
    await contract.addAndWait({ source: 'rtsp://127.0.0.1:9/x' })
    await eventually(contract.getPath).toMatchObject({
      json: { available: false, online: true, source: { type: 'rtspSource', id: '' } }
    })
  })
}

/** Posts `{}` to a path exactly as it is written. */
async function postUnfolded(contract: ContractDriver, path: string): Promise<{ status: number; body: unknown }> {
  const { hostname, port } = new URL(contract.target.urls.api)
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, method: 'POST', path, headers: { authorization } }, (response) => {
      json(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
    call.on('error', reject).end('{}')
  })
}

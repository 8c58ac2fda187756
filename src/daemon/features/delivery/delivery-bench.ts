import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { setAssetAccess } from '../../../shared/api/delivery.ts'
import { createToken, openSession } from '../../../shared/api/system.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import { problemSchema } from '../../../shared/problem.ts'
import { startTestDaemon } from '../../testing/test-daemon.ts'

type StartOptions = NonNullable<Parameters<typeof startTestDaemon>[0]>

/** A whole daemon with files in it, and readers of every kind. Ends with the test. */
export async function startDelivery(env: Record<string, string> = {}, overrides: StartOptions['overrides'] = {}) {
  const base = await startTestDaemon({ env, overrides })
  const { url } = base.ready.admin

  /** Stores a file, by default as the admin. */
  async function upload(
    bytes: Uint8Array | string,
    { name = 'a.bin', secret, ...fields }: Record<string, string> & { name?: string; secret?: string } = {}
  ) {
    const body = new FormData()
    for (const [field, value] of Object.entries(fields)) body.append(field, value)
    body.append('file', new Blob([bytes as never]), name)
    const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` }
    const answer = await base.fetch(uploadMedia.path, { method: 'POST', body, headers })
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
    return uploadMedia.response.parse(await answer.json()).asset.id
  }

  return {
    base,
    url,
    upload,
    token: async (role: 'viewer' | 'operator' | 'admin') =>
      (await base.api.call(createToken, { body: { name: role, role } })).secret,
    /** The cookie of a browser session that was opened with this token. */
    session: async (secret: string) => {
      const answer = await fetch(url + openSession.path, {
        method: openSession.method,
        headers: { authorization: `Bearer ${secret}` }
      })
      return answer.headers.getSetCookie()[0]!.split(';')[0]!
    },
    setAccess: (assetId: string, access: 'private' | 'workspace' | 'signed' | 'public', cacheSeconds?: number) =>
      base.api.call(setAssetAccess, { params: { assetId }, body: { access, cacheSeconds } }),
    /** Without a token. */
    read: (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      fetch(path.startsWith('http') ? path : url + path, { headers, method }),
    /** With the admin token. */
    readAsAdmin: (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      base.fetch(path, { headers, method }),
    readAs: (secret: string, path: string) => fetch(url + path, { headers: { authorization: `Bearer ${secret}` } })
  }
}

export const mediaOf = (assetId: string) => `/media/${assetId}`

/** Status and code of a refusal. */
export async function refusal(answer: Response): Promise<[number, string]> {
  const { status, code } = problemSchema.parse(await answer.json())
  return [status, code]
}

/** A request with headers that `fetch` keeps to itself, such as Host. */
export function rawGet(
  url: string,
  headers: Record<string, string>
): Promise<{ status: number; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { headers }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers }))
    })
      .once('error', reject)
      .end()
  })
}

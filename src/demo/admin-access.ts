import { createHash } from 'node:crypto'
import { type ApiClient, createApiClient } from '../shared/api-client.ts'
import type { ReadyInfo } from '../shared/ready.ts'

/** The admin API of a running daemon, and its bytes. */
export type AdminAccess = {
  api: ApiClient
  /** GETs a delivery path; the caller reads the body. */
  get(path: string, headers?: Record<string, string>): Promise<Response>
  /** SHA-256 (hex) of what GET `path` delivers. Throws unless it answers 200 with a whole body. */
  sha256(path: string): Promise<string>
}

/** Opens the admin API with the token the daemon announced. */
export function openAdmin({ url, token }: ReadyInfo['admin']): AdminAccess {
  const authorization = { authorization: `Bearer ${token}` }
  const get: AdminAccess['get'] = (path, headers) => fetch(url + path, { headers: { ...authorization, ...headers } })
  return {
    api: createApiClient({
      baseUrl: url,
      headers: () => authorization,
      transport: (target, { method, headers, body }) => fetch(target, { method, headers, ...(body ? { body } : {}) })
    }),
    get,
    async sha256(path) {
      const answer = await get(path)
      if (answer.status !== 200 || !answer.body) throw new Error(`GET ${path} answered ${answer.status}`)
      const hash = createHash('sha256')
      for await (const chunk of answer.body) hash.update(chunk)
      return hash.digest('hex')
    }
  }
}

/** All items of a paged list, in order. */
export async function* everyItem<Item>(
  page: (cursor: string | undefined) => Promise<{ items: Item[]; nextCursor: string | null }>
): AsyncGenerator<Item> {
  let cursor: string | undefined
  do {
    const { items, nextCursor } = await page(cursor)
    yield* items
    cursor = nextCursor ?? undefined
  } while (cursor)
}

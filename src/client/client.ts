import { getFileUrl } from '../shared/api/delivery.ts'
import { type ApiClient, createApiClient } from '../shared/api-client.ts'
import type { EndpointResult } from '../shared/endpoint.ts'
import { type FollowedEvent, type FollowOptions, followEvents } from './follow-events.ts'
import { type UploadedFile, type UploadOptions, uploadFile } from './upload-file.ts'

export interface ClientOptions {
  /** Of the admin listener, such as `http://base.lan:8701`; empty in a page that the base itself serves. */
  baseUrl: string
  /** Without one the session cookie of the page goes along. */
  token?: string
  /** Another `fetch`, such as one that goes through a proxy. */
  fetch?: typeof fetch
}

/** What the other parts of the client ask over. */
export interface Connection {
  baseUrl: string
  fetch: typeof fetch
  headers: Record<string, string>
  api: ApiClient
}

/** A base, as an application uses it. */
export interface FlightcaseClient extends ApiClient {
  /**
   * Stores a file, and makes the reference that the options name. Small files go in one request, large ones in parts that are
   * sent again where a connection breaks. Throws `ApiError` for a refusal, what `fetch` throws when the base stays away, and
   * the signal's reason.
   */
  upload(file: Blob, options: UploadOptions): Promise<UploadedFile>
  /** An address for a page or a player; see `getFileUrl`. */
  fileUrl(assetId: string, query?: { expiresInSeconds?: number }): Promise<EndpointResult<typeof getFileUrl>>
  /**
   * What happens in the base, from now on or after an event that was seen, through broken connections. Ends with the signal.
   * Throws `ApiError` when the base refuses.
   */
  follow(options: FollowOptions): AsyncGenerator<FollowedEvent>
}

/** Connects to nothing by itself: every call is one request or more. */
export function createClient(options: ClientOptions): FlightcaseClient {
  const { baseUrl, token, fetch: fetchWith = (...given: Parameters<typeof fetch>) => fetch(...given) } = options
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const api = createApiClient({
    baseUrl,
    headers: () => headers,
    transport: (url, { signal, ...init }) =>
      fetchWith(url, { ...init, ...(signal instanceof AbortSignal ? { signal } : {}), credentials: 'same-origin' })
  })
  const connection: Connection = { baseUrl, fetch: fetchWith, headers, api }
  return {
    ...api,
    upload: (file, uploadOptions) => uploadFile(connection, file, uploadOptions),
    fileUrl: (assetId, query = {}) => api.call(getFileUrl, { params: { assetId }, query }),
    follow: (followOptions) => followEvents(connection, followOptions)
  }
}

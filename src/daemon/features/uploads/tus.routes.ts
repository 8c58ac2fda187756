import { Readable } from 'node:stream'
import { MemoryLocker, Metadata, Server } from '@tus/server'
import type { Request as ExpressRequest, Response as ExpressResponse } from 'express'
import { ASSET_ID_HEADER, createTusUpload, getTusUpload, TUS_PATH, tusContract } from '../../../shared/api/tus.ts'
import { DEFAULT_WORKSPACE } from '../../../shared/api/uploads.ts'
import type { Clock } from '../../clock.ts'
import { AppError } from '../../errors.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { bodyStream, hearOut, SILENCE_MS } from '../../http/body-stream.ts'
import { newId } from '../../ids.ts'
import type { AppendedUploadsService } from './appended-uploads.service.ts'
import type { PendingUploadsService } from './pending-uploads.service.ts'
import { TusStore } from './tus-store.ts'
import type { UploadLimits } from './upload-limits.ts'

/** So long a transfer whose place another one takes may end by itself. */
const YIELD_MS = 500

export interface TusDeps {
  pending: PendingUploadsService
  appended: AppendedUploadsService
  limits: UploadLimits
  clock: Clock
}

/** The tus protocol, spoken by its library; refusals are the same problem documents as everywhere. */
export function bindTus(binder: EndpointBinder, { pending, appended, limits, clock }: TusDeps): void {
  const failures = new WeakMap<Request, unknown>()
  const server = new Server({
    path: TUS_PATH,
    datastore: new TusStore({ pending, appended }),
    locker: new MemoryLocker(),
    lockDrainTimeout: YIELD_MS,
    relativeLocation: true,
    maxSize: limits.maxSizeBytes,
    namingFunction: () => newId(clock.nowMs()),
    onUploadFinish: async (_, { id }) => {
      await appended.finish(id)
      return { headers: { [ASSET_ID_HEADER]: id } }
    },
    onResponseError: (request, error) => {
      if (error instanceof Error) failures.set(request, error)
      return undefined
    }
  })

  async function serve(request: ExpressRequest, response: ExpressResponse): Promise<Response> {
    const body = ['POST', 'PATCH'].includes(request.method) ? bodyStream(request, SILENCE_MS) : null
    const asked = new Request(`http://tus${request.path}`, {
      method: request.method,
      headers: headersOf(request),
      ...(body && { body: Readable.toWeb(body), duplex: 'half' })
    })
    const answer = await server.handleWeb(asked)
    for (const [name, value] of answer.headers)
      if (/^(tus-|upload-|location$|flightcase-)/.test(name)) response.setHeader(name, value)
    if (answer.status < 400) return answer
    body?.destroy()
    await hearOut(request)
    response.setHeader('Tus-Version', '1.0.0')
    throw failures.get(asked) ?? refusalOf(answer.status, (await answer.text()).trim())
  }

  for (const endpoint of tusContract)
    binder.bindStream(endpoint, async (_, { request, response, assertInScope }) => {
      if (endpoint === createTusUpload) assertInScope({ workspaceId: workspaceIn(request) })
      const { status } = await serve(request, response)
      response.setHeader('cache-control', 'no-store')
      const { 'upload-offset': offset, 'upload-length': length } = response.getHeaders()
      if (endpoint === getTusUpload && offset === length)
        response.setHeader(ASSET_ID_HEADER, String(request.params['uploadId']))
      response.status(status).end()
    })
}

/** Read as the library will do it; what it refuses names none. */
function workspaceIn(request: ExpressRequest): string {
  const header = request.headers['upload-metadata']
  if (header === undefined) return DEFAULT_WORKSPACE
  try {
    return Metadata.parse(String(header))['workspaceId'] ?? DEFAULT_WORKSPACE
  } catch {
    return DEFAULT_WORKSPACE
  }
}

function headersOf(request: ExpressRequest): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers.set(name, String(value))
  return headers
}

/** What the library itself refuses. */
function refusalOf(status: number, reason: string): AppError {
  if (status === 412 || /tus-resumable/.test(reason)) return new AppError('tus_version_unsupported')
  if (status === 404 || status === 410) return new AppError('upload_not_found')
  if (status === 409) return new AppError('upload_offset_wrong')
  if (status === 413) return new AppError('payload_too_large', { reason })
  if (/lock/.test(reason)) return new AppError('upload_taken_over')
  return new AppError('invalid_request', { reason })
}

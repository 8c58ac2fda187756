import { type AssetSummary, getAsset } from '../../../shared/api/assets.ts'
import { ASSET_ID_HEADER, TUS_PATH } from '../../../shared/api/tus.ts'
import {
  beginUpload,
  completeUpload,
  presignUpload,
  uploadedMediaSchema,
  uploadMedia
} from '../../../shared/api/uploads.ts'
import { ApiError } from '../../../shared/api-client.ts'
import { type Problem, problemSchema } from '../../../shared/problem.ts'
import type { TestDaemon } from '../../testing/test-daemon.ts'

/** For tests: a file that comes to be an asset, or why it does not. */
export type Outcome = { asset: AssetSummary } | { refused: [status: number, code: string]; problem: Problem }
export type UploadWay = (
  base: TestDaemon,
  bytes: Uint8Array,
  name: string,
  fields?: Record<string, string>
) => Promise<Outcome>

/** Every way by which an application can upload a file. */
export const uploadWays: Record<'form' | 'link' | 'parts' | 'tus', UploadWay> = {
  async form(base, bytes, name, fields = {}) {
    const body = new FormData()
    for (const [field, value] of Object.entries(fields)) body.append(field, value)
    body.append('file', new Blob([bytes as never]), name)
    const answer = await base.fetch(uploadMedia.path, { method: 'POST', body })
    return answer.ok
      ? uploadedMediaSchema.parse(await answer.json())
      : refusal(problemSchema.parse(await answer.json()))
  },

  link: (base, bytes, name, fields = {}) =>
    outcome(async () => {
      const link = await base.api.call(presignUpload, { body: { name, sizeBytes: bytes.length, ...fields } })
      if (link.isStored) return link
      await fetch(link.uploadUrl, { method: 'PUT', headers: link.headers, body: bytes as never })
      return base.api.call(completeUpload, { params: { uploadId: link.uploadId } })
    }),

  parts: (base, bytes, name, fields = {}) =>
    outcome(async () => {
      const begun = await base.api.call(beginUpload, { body: { name, sizeBytes: bytes.length, ...fields } })
      if (begun.isStored) return begun
      for (let number = 1; number <= begun.partCount; number++)
        await base.fetch(`/api/v1/uploads/${begun.uploadId}/parts/${number}`, {
          method: 'PUT',
          body: bytes.subarray((number - 1) * begun.partSizeBytes, number * begun.partSizeBytes) as never
        })
      return base.api.call(completeUpload, { params: { uploadId: begun.uploadId } })
    }),

  async tus(base, bytes, name, fields = {}) {
    const said = Object.entries({ filename: name, ...fields })
    const begun = await base.fetch(TUS_PATH, {
      method: 'POST',
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': String(bytes.length),
        'upload-metadata': said.map(([field, value]) => `${field} ${Buffer.from(value).toString('base64')}`).join(',')
      }
    })
    const path = begun.headers.get('location')
    if (!path) return refusal(problemSchema.parse(await begun.json()))
    const answer = await base.fetch(path, {
      method: 'PATCH',
      headers: { 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
      body: bytes as never
    })
    if (!answer.ok) return refusal(problemSchema.parse(await answer.json()))
    return { asset: await base.api.call(getAsset, { params: { assetId: answer.headers.get(ASSET_ID_HEADER) ?? '' } }) }
  }
}

async function outcome(work: () => Promise<{ asset: AssetSummary }>): Promise<Outcome> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ApiError && error.problem)) throw error
    return refusal(error.problem)
  }
}

const refusal = (problem: Problem): Outcome => ({ refused: [problem.status, problem.code], problem })

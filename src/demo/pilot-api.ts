import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { CardFile } from './photo-card.ts'

/** How a controller finds its server and says who it is. */
export type PilotIdentity = {
  /** Base URL of the field listener. */
  fieldUrl: string
  token: string
  workspaceId: string
  /** Sent as X-Device-ID. */
  deviceId: string
  droneSerial: string
  /** `domain-type-subtype`, for example `0-99-0`. */
  droneModelKey: string
  payloadModelKey: string
  /** Whether it uploads originals or the camera's small previews. */
  photoType: 'original' | 'preview'
}

const grantSchema = z.object({
  bucket: z.string().min(1),
  endpoint: z.string().regex(/^https?:\/\//),
  provider: z.enum(['ali', 'aws', 'minio']),
  region: z.string().min(1),
  object_key_prefix: z.string(),
  credentials: z.object({
    access_key_id: z.string().min(1),
    access_key_secret: z.string().min(1),
    security_token: z.string().min(1),
    expire: z.int().positive()
  })
})
/** Where to upload and with which temporary credentials; `expire` counts seconds from the answer. */
export type StorageGrant = z.infer<typeof grantSchema>

const envelopeSchema = z.object({ code: z.int(), message: z.string(), data: z.unknown() })

/** The server refused a call. With status 401 Pilot 2 leaves the platform and asks the pilot to log in again. */
export class PilotRefusal extends Error {
  override readonly name = 'PilotRefusal'
  readonly status: number
  readonly code: number
  constructor(call: string, status: number, code: number, message: string) {
    super(`${call}: HTTP ${status}, code ${code}: ${message}`)
    this.status = status
    this.code = code
  }
}

/** A mission whose files are counted together. */
export type Mission = { groupId: string; path: string; fileCount: number }

/**
 * The five calls of the Cloud API's media module as Pilot 2 makes them. Each raises `PilotRefusal` for an answer Pilot
 * takes as a failure and whatever `fetch` raises when nobody answers.
 */
export function createPilotApi(identity: PilotIdentity) {
  const call = async (path: string, body?: unknown): Promise<z.infer<typeof envelopeSchema>> => {
    const workspace = encodeURIComponent(identity.workspaceId)
    const answer = await fetch(identity.fieldUrl.replace(/\/+$/, '') + path.replace('{workspace}', workspace), {
      method: 'POST',
      headers: {
        'x-auth-token': identity.token,
        'x-device-id': identity.deviceId,
        'x-request-id': randomUUID(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const envelope = envelopeSchema.safeParse(await answer.json().catch(() => undefined))
    if (!answer.ok || !envelope.success)
      throw new PilotRefusal(
        path,
        answer.status,
        envelope.data?.code ?? -1,
        envelope.data?.message ?? 'no JSON envelope in the answer'
      )
    return envelope.data
  }
  const mustSucceed = async (path: string, body?: unknown): Promise<unknown> => {
    const { code, message, data } = await call(path, body)
    if (code !== 0) throw new PilotRefusal(path, 200, code, message)
    return data
  }
  const describe = (file: CardFile) => ({
    drone_model_key: identity.droneModelKey,
    is_original: identity.photoType === 'original',
    payload_model_key: identity.payloadModelKey,
    sn: identity.droneSerial,
    tinny_fingerprint: file.tinyFingerprint
  })

  return {
    /** Whether the server has this very file, so that it need not be uploaded. */
    async isKnown(file: CardFile, path = ''): Promise<boolean> {
      const { code } = await call('/media/api/v1/workspaces/{workspace}/fast-upload', {
        ext: describe(file),
        fingerprint: file.fingerprint,
        name: file.name,
        path
      })
      return code === 0
    },

    /** The tiny fingerprints among `candidates` that the server has. */
    async knownTinyFingerprints(candidates: string[]): Promise<Set<string>> {
      const data = await mustSucceed('/media/api/v1/workspaces/{workspace}/files/tiny-fingerprints', {
        tiny_fingerprints: candidates
      })
      return new Set(z.object({ tiny_fingerprints: z.array(z.string()) }).parse(data).tiny_fingerprints)
    },

    async requestGrant(): Promise<StorageGrant> {
      return grantSchema.parse(await mustSucceed('/storage/api/v1/workspaces/{workspace}/sts'))
    },

    /** Reports one upload. `result` is 0 when the object is in the bucket, anything else for a failed upload. */
    async reportUpload(file: CardFile, objectKey: string, result: number, mission?: Mission): Promise<void> {
      await mustSucceed('/media/api/v1/workspaces/{workspace}/upload-callback', {
        result,
        ext: { ...describe(file), ...(mission ? { file_group_id: mission.groupId } : {}) },
        fingerprint: file.fingerprint,
        metadata: file.metadata,
        name: file.name,
        object_key: objectKey,
        path: mission?.path ?? '',
        sub_file_type: 0
      })
    },

    /** Reports how many files of a mission are with the server. */
    async reportMission(mission: Mission, uploadedCount: number): Promise<void> {
      await mustSucceed('/media/api/v1/workspaces/{workspace}/group-upload-callback', {
        file_count: mission.fileCount,
        file_group_id: mission.groupId,
        file_uploaded_count: uploadedCount
      })
    }
  }
}

import { z } from 'zod'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'

// What DJI Pilot 2 sends is parsed leniently: unknown members are ignored, and a value of the wrong type counts as
// absent. Only what a call cannot do without is refused, by the service.

const MAX_TEXT = 4096
/** Fingerprints are opaque; longer ones than this are no fingerprints. */
const MAX_FINGERPRINT = 512

const text = z
  .string()
  .nullish()
  .catch(null)
  .transform((value) => value?.slice(0, MAX_TEXT).toWellFormed() ?? null)

const fingerprint = z
  .string()
  .nullish()
  .catch(null)
  .transform((value) => (value && value.length <= MAX_FINGERPRINT && value.isWellFormed() ? value : null))

/** Numbers also come as text (`"-91.40"`); what is neither becomes null. */
const number = z
  .union([z.number(), z.string()])
  .nullish()
  .catch(null)
  .transform((value) => {
    const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    return typeof parsed === 'number' && Number.isFinite(parsed) ? parsed : null
  })

const integer = number.transform((value) => (Number.isSafeInteger(value) ? value : null))

const flag = z
  .union([z.boolean(), z.string(), z.number()])
  .nullish()
  .catch(null)
  .transform((value) => {
    if (value === true || value === 'true' || value === 1) return true
    return value === false || value === 'false' || value === 0 ? false : null
  })

const ext = z
  .object({
    tinny_fingerprint: fingerprint,
    tiny_fingerprint: fingerprint,
    drone_model_key: text,
    payload_model_key: text,
    is_original: flag,
    sn: text,
    file_group_id: text
  })
  .partial()
  .nullish()
  .catch(null)

const metadata = z
  .object({
    created_time: z.union([z.string(), z.number()]).nullish().catch(null),
    absolute_altitude: number,
    relative_altitude: number,
    gimbal_yaw_degree: number,
    shoot_position: z.object({ lat: number, lng: number }).partial().nullish().catch(null)
  })
  .partial()
  .nullish()
  .catch(null)

export const fastUploadSchema = z.object({ fingerprint, name: text, path: text, ext }).partial()

export const tinyFingerprintsSchema = z.object({ tiny_fingerprints: z.array(z.unknown()).nullish() })

export const uploadCallbackSchema = z
  .object({
    /** 0 or absent: the object is in the bucket. */
    result: integer,
    fingerprint,
    name: text,
    // Kept as sent: the rules for keys are the service's.
    object_key: z.string().nullish().catch(null),
    path: text,
    sub_file_type: integer,
    ext,
    metadata,
    tinny_fingerprint: fingerprint,
    tiny_fingerprint: fingerprint
  })
  .partial()
export type UploadCallback = z.output<typeof uploadCallbackSchema>

export const groupCallbackSchema = z
  .object({ file_group_id: text, file_count: integer, file_uploaded_count: integer })
  .partial()

/** Every answer, whatever its HTTP status. `code` 0 is success. */
function envelope<T extends z.ZodType>(data: T) {
  return z.object({ code: z.int(), message: z.string(), data })
}

/** The body of every refusal; `code` repeats the HTTP status. */
export const pilotRefusalSchema = envelope(z.object({})).meta({ id: 'PilotRefusal' })

const workspaceParams = z.object({ workspace_id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/) })
const mediaPath = '/media/api/v1/workspaces/{workspace_id}' as const
const onFieldListener = {
  tag: 'Pilot 2 (field listener)',
  // The controller's X-Auth-Token is checked by the field listener itself.
  role: 'none',
  errors: [],
  listener: 'field'
} as const
const pilotCall = { ...onFieldListener, method: 'POST', params: workspaceParams } as const

export const fastUpload = defineEndpoint({
  ...pilotCall,
  name: 'pilotFastUpload',
  path: `${mediaPath}/fast-upload`,
  summary: 'Is the file with this fingerprint stored? code 0: yes, skip it; code -1: no, upload it',
  body: fastUploadSchema,
  response: envelope(z.union([z.object({ object_key: z.string() }), z.literal('')]))
})

export const tinyFingerprints = defineEndpoint({
  ...pilotCall,
  name: 'pilotTinyFingerprints',
  path: `${mediaPath}/files/tiny-fingerprints`,
  summary: 'Which of these tiny fingerprints are stored',
  body: tinyFingerprintsSchema,
  response: envelope(z.object({ tiny_fingerprints: z.array(z.string()) }))
})

export const uploadCallback = defineEndpoint({
  ...pilotCall,
  name: 'pilotUploadCallback',
  path: `${mediaPath}/upload-callback`,
  summary: 'The result of one upload',
  body: uploadCallbackSchema,
  response: envelope(z.union([z.string(), z.object({ object_key: z.string() })]))
})

export const groupUploadCallback = defineEndpoint({
  ...pilotCall,
  name: 'pilotGroupUploadCallback',
  path: `${mediaPath}/group-upload-callback`,
  summary: 'How far the upload of a mission is',
  body: groupCallbackSchema,
  response: envelope(z.object({}))
})

const credentials = z.object({
  access_key_id: z.string(),
  access_key_secret: z.string(),
  security_token: z.string(),
  /** Seconds from now. */
  expire: z.int()
})

export const sts = defineEndpoint({
  ...pilotCall,
  name: 'pilotSts',
  path: '/storage/api/v1/workspaces/{workspace_id}/sts',
  summary: 'Temporary credentials for uploading to the object store',
  response: envelope(
    z.object({
      provider: z.enum(['minio', 'aws']),
      endpoint: z.string(),
      bucket: z.string(),
      region: z.string(),
      object_key_prefix: z.string(),
      credentials
    })
  )
})
export type StsReply = z.output<(typeof sts)['response']>['data']

export const health = defineEndpoint({
  ...onFieldListener,
  name: 'pilotHealth',
  method: 'GET',
  path: '/health',
  summary: 'The field listener answers',
  response: envelope(z.object({}))
})

/** Every operation of the field listener, for the API document. */
export const pilotContract: readonly Endpoint[] = [
  fastUpload,
  tinyFingerprints,
  uploadCallback,
  groupUploadCallback,
  sts,
  health
]

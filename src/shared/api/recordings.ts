import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { daySchema, idSchema, instantSchema, pageOf, pageQuery } from './common.ts'
import { serverErrors, sourceParams } from './sources.ts'
import { uploadedMediaSchema } from './uploads.ts'
import { workspaceIdSchema } from './workspaces.ts'

/** Whole days of recordings that one call may ask for. */
export const MAX_WINDOW_DAYS = 31

/** An instant inside recordings: ISO 8601 in UTC since 1970, told to the nanosecond at most and kept to the microsecond. */
const recordedAtSchema = instantSchema
  .regex(/^[^.]*(\.\d{1,9})?Z$/, 'must have at most nine digits behind the seconds')
  .refine((text) => Date.parse(text) >= 0, 'must not be before 1970')

/**
 * `desired`: it shall be recorded; `active`: it is, as the file that grows on the disk shows, not as the media server was told. Neither
 * `active` nor a problem: it is about to begin.
 */
export const recordStatusSchema = z
  .object({
    desired: z.boolean(),
    active: z.boolean(),
    /** Of the newest file; null before the first one. */
    last_segment_start: instantSchema.nullable(),
    /**
     * Why nothing is recorded although it shall be; null when all is well, or it is about to begin. `not_written`: the stream is there,
     * but no file of it grows. `disk_full`: there is so little room left that nothing is recorded until there is more. `disk_away`: the
     * folder of the recordings is gone, another one, or cannot be read.
     */
    problem: z
      .enum(['nobody_sends', 'disk_full', 'disk_away', 'server_unavailable', 'no_usable_track', 'not_written'])
      .nullable(),
    /** What the media server said last was wrong with this stream, in its words; null for nothing, and where it runs elsewhere. */
    last_error: z.string().nullable()
  })
  .meta({ id: 'RecordStatus' })
export type RecordStatus = z.infer<typeof recordStatusSchema>

/** What is the matter with a file of a recording; `open`: it is still written. */
export const segmentStates = ['open', 'unchecked', 'whole', 'damaged', 'repaired'] as const

/** One file of a recording. */
export const recordingSegmentSchema = z
  .object({
    id: idSchema,
    source_id: idSchema,
    start: instantSchema,
    /** Seconds; null while it is not known. */
    duration: z.number().nullable(),
    size_bytes: z.int().nullable(),
    /** Null where the media server runs elsewhere. */
    file_name: z.string().nullable(),
    state: z.enum(segmentStates),
    /** Why it is damaged, in words of the program that looked. */
    problem: z.string().nullable(),
    /** Not removed by age or for room, because somebody said so. */
    is_kept: z.boolean()
  })
  .meta({ id: 'RecordingSegment' })
export type RecordingSegment = z.infer<typeof recordingSegmentSchema>

/** What can be played without a gap worth speaking of. */
export const recordingSessionSchema = z
  .object({
    start: instantSchema,
    /** Seconds from its start to its end, gaps included. */
    duration: z.number(),
    size_bytes: z.int().nullable(),
    segments: z.int(),
    is_open: z.boolean(),
    has_damage: z.boolean(),
    /** Times inside in which nothing was recorded. */
    gaps: z.array(z.object({ start: instantSchema, duration: z.number() }))
  })
  .meta({ id: 'RecordingSession' })
export type RecordingSession = z.infer<typeof recordingSessionSchema>

/** A stream of which something was recorded. */
export const recordedSourceSchema = z
  .object({
    source_id: idSchema,
    workspace_id: z.string(),
    name: z.string(),
    path_name: z.string(),
    /** The source is gone; its recordings were kept and are found, played, cut and deleted under its id as before. */
    is_removed: z.boolean(),
    /** When the oldest and the newest file begin. */
    first_start: instantSchema,
    last_start: instantSchema,
    segments: z.int(),
    /** Null where the media server runs elsewhere. */
    size_bytes: z.int().nullable()
  })
  .meta({ id: 'RecordedSource' })
export type RecordedSource = z.infer<typeof recordedSourceSchema>

const ofSource = { tag: 'Recordings', forScopedTokens: true, params: sourceParams } as const
/** At most `MAX_WINDOW_DAYS` days. */
const windowQuery = { from: recordedAtSchema.optional(), to: recordedAtSchema.optional() }

export const listRecordedSources = defineEndpoint({
  name: 'listRecordedSources',
  method: 'GET',
  path: '/api/v1/recordings/sources',
  tag: 'Recordings',
  summary: 'Streams of which something was recorded, by name; also those that were removed since',
  role: 'viewer',
  forScopedTokens: true,
  query: z.object({ ...pageQuery, workspaceId: workspaceIdSchema.optional() }),
  response: pageOf(recordedSourceSchema),
  errors: ['invalid_request', 'workspace_not_found']
})

export const startRecording = defineEndpoint({
  ...ofSource,
  name: 'startRecording',
  method: 'POST',
  path: '/api/v1/sources/{sourceId}/record/start',
  summary: 'Record a stream from now on, whenever something sends it',
  role: 'operator',
  response: recordStatusSchema,
  errors: ['source_not_found', 'source_disabled', ...serverErrors]
})

export const stopRecording = defineEndpoint({
  ...ofSource,
  name: 'stopRecording',
  method: 'POST',
  path: '/api/v1/sources/{sourceId}/record/stop',
  summary: 'Stop recording a stream',
  role: 'operator',
  response: recordStatusSchema,
  errors: ['source_not_found', ...serverErrors]
})

export const getRecordStatus = defineEndpoint({
  ...ofSource,
  name: 'getRecordStatus',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/record/status',
  summary: 'Whether a stream shall be recorded, and whether it is',
  role: 'viewer',
  response: recordStatusSchema,
  errors: ['source_not_found', ...serverErrors]
})

export const listRecordingSessions = defineEndpoint({
  ...ofSource,
  name: 'listRecordingSessions',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/record/sessions',
  summary: 'What was recorded in a window of time (the last day unless told otherwise, at most 31 days), with its gaps',
  role: 'viewer',
  query: z.object(windowQuery),
  response: z.object({ items: z.array(recordingSessionSchema) }),
  errors: ['invalid_request', 'source_not_found']
})

export const listRecordingFiles = defineEndpoint({
  ...ofSource,
  name: 'listRecordingFiles',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/record/files',
  summary:
    'The files of a recording in a window of time (the last day unless told otherwise, at most 31 days), oldest first',
  role: 'viewer',
  query: z.object({ ...pageQuery, ...windowQuery }),
  response: pageOf(recordingSegmentSchema),
  errors: ['invalid_request', 'source_not_found']
})

export const listRecordingDays = defineEndpoint({
  ...ofSource,
  name: 'listRecordingDays',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/record/days',
  summary:
    'The days that something was recorded on, newest first, by the clock of the base: the 31 days up to `to`, or up to the newest one',
  role: 'viewer',
  query: z.object({ to: daySchema.optional() }),
  response: z.object({
    /** The newest day before these that something was recorded on: the next `to`. Null when there is none. */
    earlier: daySchema.nullable(),
    items: z.array(
      z.object({
        day: daySchema,
        /** When it begins and ends where the base is. */
        start: instantSchema,
        end: instantSchema,
        segments: z.int(),
        duration: z.number(),
        size_bytes: z.int().nullable()
      })
    )
  }),
  errors: ['invalid_request', 'source_not_found']
})

const segmentParams = sourceParams.extend({ segmentId: idSchema })

export const keepSegment = defineEndpoint({
  ...ofSource,
  name: 'keepSegment',
  method: 'PATCH',
  path: '/api/v1/sources/{sourceId}/record/files/{segmentId}',
  summary: 'Keep a file of a recording whatever its age, or not any more',
  role: 'operator',
  params: segmentParams,
  body: z.strictObject({ is_kept: z.boolean() }),
  response: recordingSegmentSchema,
  errors: ['invalid_request', 'source_not_found', 'recording_not_found']
})

export const deleteSegment = defineEndpoint({
  ...ofSource,
  name: 'deleteSegment',
  method: 'DELETE',
  path: '/api/v1/sources/{sourceId}/record/files/{segmentId}',
  summary: 'Delete a file of a recording for good',
  role: 'operator',
  params: segmentParams,
  response: 'empty',
  errors: ['source_not_found', 'recording_not_found', 'recording_in_use', 'recording_away', ...serverErrors]
})

export const repairSegment = defineEndpoint({
  ...ofSource,
  name: 'repairSegment',
  method: 'POST',
  path: '/api/v1/sources/{sourceId}/record/files/{segmentId}/repair',
  summary:
    'Write a damaged file anew from what can be read of it; a job, and the damaged one is kept until that is done',
  role: 'operator',
  params: segmentParams,
  response: z.object({ jobId: idSchema }),
  errors: ['source_not_found', 'recording_not_found', 'recording_not_damaged', 'recording_in_use', ...serverErrors]
})

const MAX_SECONDS = 253_402_300_799
const playbackQuery = {
  start: z.union([
    recordedAtSchema,
    z.number().min(0).max(MAX_SECONDS),
    z
      .string()
      .regex(/^\d{1,12}(\.\d{1,9})?$/)
      .transform(Number)
      .pipe(z.number().max(MAX_SECONDS))
  ]),
  duration: z.coerce.number().positive().max(86_400).default(600),
  format: z.enum(['fmp4', 'mp4']).default('fmp4')
}

export const getPlaybackUrl = defineEndpoint({
  ...ofSource,
  name: 'getPlaybackUrl',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/playback',
  summary: 'Where a recording can be played from a time on (ISO 8601, or seconds since 1970)',
  role: 'viewer',
  query: z.object(playbackQuery),
  response: z.object({
    url: z.string(),
    /** For pages of the base itself. */
    path: z.string(),
    /** What it really begins with, after the gap if `start` lies in one. */
    start: instantSchema,
    duration: z.number(),
    expires_at: instantSchema
  }),
  errors: ['invalid_request', 'source_not_found', 'recording_not_found']
})

export const listPlaybackSegments = defineEndpoint({
  ...ofSource,
  name: 'listPlaybackSegments',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/playback/segments',
  summary:
    'What can be played in one go, each with its address, in a window of time (the last day unless told otherwise, at most 31 days)',
  role: 'viewer',
  query: z.object(windowQuery),
  response: z.object({
    items: z.array(z.object({ start: instantSchema, duration: z.number(), url: z.string(), path: z.string() }))
  }),
  errors: ['invalid_request', 'source_not_found', ...serverErrors]
})

export const playRecording = defineEndpoint({
  ...ofSource,
  name: 'playRecording',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/playback/media',
  summary: 'A recording from a time on, through the base, as MP4; with a token, or by an address that the base gave',
  role: 'none',
  query: z.object({
    ...playbackQuery,
    download: z.stringbool().default(false),
    /** Of an address that the base gave. */
    token: z.string().max(256).optional()
  }),
  response: 'bytes',
  errors: [
    'unauthenticated',
    'forbidden',
    'link_invalid',
    'invalid_request',
    'source_not_found',
    'recording_not_found',
    'recording_corrupt',
    'recording_away',
    ...serverErrors
  ]
})

export const cutClip = defineEndpoint({
  ...ofSource,
  name: 'cutClip',
  method: 'POST',
  path: '/api/v1/sources/{sourceId}/clips',
  summary:
    'Make an asset of a part of a recording, of a day at most; a job, and the recording is kept until it is done',
  role: 'operator',
  body: z.strictObject({
    start: recordedAtSchema,
    end: recordedAtSchema,
    name: z.string().trim().min(1).max(255).optional()
  }),
  response: z.object({ jobId: idSchema, clipId: idSchema }),
  errors: ['invalid_request', 'source_not_found', 'recording_not_found']
})

export const clipSchema = z
  .object({
    id: idSchema,
    source_id: idSchema,
    kind: z.enum(['clip', 'snapshot']),
    start: instantSchema,
    end: instantSchema,
    state: z.enum(['waiting', 'ready', 'failed']),
    problem: z.string().nullable(),
    asset_id: idSchema.nullable(),
    sha256: z.string().nullable()
  })
  .meta({ id: 'Clip' })
export type Clip = z.infer<typeof clipSchema>

export const listClips = defineEndpoint({
  ...ofSource,
  name: 'listClips',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/clips',
  summary: 'Clips and snapshots of a stream, newest first',
  role: 'viewer',
  query: z.object(pageQuery),
  response: pageOf(clipSchema),
  errors: ['invalid_request', 'source_not_found']
})

export const getClip = defineEndpoint({
  ...ofSource,
  name: 'getClip',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/clips/{clipId}',
  summary: 'How far a clip is, and which asset it became',
  role: 'viewer',
  params: sourceParams.extend({ clipId: idSchema }),
  response: clipSchema,
  errors: ['source_not_found', 'clip_not_found']
})

export const keepSnapshot = defineEndpoint({
  ...ofSource,
  name: 'keepSnapshot',
  method: 'POST',
  path: '/api/v1/sources/{sourceId}/snapshots',
  summary: 'Make an asset of a picture: of the stream as it is now, or of a recording at a time',
  role: 'operator',
  body: z.strictObject({ at: recordedAtSchema.optional(), name: z.string().trim().min(1).max(255).optional() }),
  response: uploadedMediaSchema,
  errors: [
    'invalid_request',
    'source_not_found',
    'recording_not_found',
    'recording_away',
    'snapshot_not_available',
    'store_unreachable',
    'store_full',
    ...serverErrors
  ]
})

export const recordingsContract = [
  listRecordedSources,
  startRecording,
  stopRecording,
  getRecordStatus,
  listRecordingSessions,
  listRecordingFiles,
  listRecordingDays,
  keepSegment,
  deleteSegment,
  repairSegment,
  getPlaybackUrl,
  listPlaybackSegments,
  playRecording,
  cutClip,
  listClips,
  getClip,
  keepSnapshot
]

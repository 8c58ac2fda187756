import { z } from 'zod'

// Zod's just-in-time compiler probes for eval, which our Content-Security-Policy forbids.
z.config({ jitless: true })

/** Every stable error code an admin API call can answer. The daemon maps each to one HTTP status. */
export const problemCodes = [
  'invalid_request',
  'invalid_json',
  'content_type_not_json',
  'payload_too_large',
  'media_type_not_allowed',
  'too_many_pixels',
  'quota_exceeded',
  'digest_mismatch',
  'upload_not_found',
  'upload_incomplete',
  'upload_taken_over',
  'upload_offset_wrong',
  'tus_version_unsupported',
  'part_not_found',
  'part_size_wrong',
  'unauthenticated',
  'identity_provider_unreachable',
  'too_many_sign_ins',
  'too_many_requests',
  'forbidden',
  'foreign_origin',
  'route_not_found',
  'method_not_allowed',
  'asset_not_found',
  'asset_in_use',
  'asset_changed',
  'reference_not_found',
  'asset_not_binned',
  'asset_binned',
  'deletion_not_found',
  'deletion_not_waiting',
  'asset_damaged',
  'asset_bytes_missing',
  'blob_quarantined',
  'quarantine_not_found',
  'link_invalid',
  'link_expired',
  'referer_refused',
  'rendition_not_available',
  'range_not_satisfiable',
  'precondition_failed',
  'job_not_found',
  'job_not_retryable',
  'controller_not_found',
  'token_not_found',
  'workspace_not_found',
  'remote_disabled',
  'remote_url_refused',
  'remote_media_not_found',
  'remote_media_not_ready',
  'webhook_not_found',
  'too_many_webhooks',
  'delivery_not_found',
  'event_gone',
  'idempotency_key_reused',
  'idempotency_key_in_use',
  'idempotent_answer_not_kept',
  'live_unavailable',
  'live_misconfigured',
  'path_exists',
  'source_not_found',
  'source_has_assets',
  'source_disabled',
  'source_is_pulled',
  'pull_url_refused',
  'stream_not_available',
  'snapshot_not_available',
  'recording_not_found',
  'recording_in_use',
  'recording_not_damaged',
  'recording_corrupt',
  'clip_not_found',
  'asset_not_stream',
  'store_unreachable',
  'store_full',
  'disk_full',
  'store_credentials_refused',
  'shutting_down',
  'internal_error'
] as const

export type ProblemCode = (typeof problemCodes)[number]

/** RFC 9457 problem details with our stable `code`; the body of every admin API answer that is not 2xx or 3xx. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(problemCodes),
    detail: z.string().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
    requestId: z.string()
  })
  .meta({ id: 'Problem' })

export type Problem = z.infer<typeof problemSchema>

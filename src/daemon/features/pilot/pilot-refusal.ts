/** Every refusal a controller can get: HTTP status (also the envelope's `code`) and text. */
export const refusals = {
  notFound: [404, 'not found'],
  invalidJson: [400, 'invalid json'],
  missingToken: [401, 'missing x-auth-token'],
  invalidToken: [401, 'invalid x-auth-token'],
  tooManySignIns: [429, 'too many wrong tokens from this address'],
  missingFingerprintOrName: [400, 'missing fingerprint/name'],
  invalidTinyFingerprints: [400, 'invalid tiny_fingerprints'],
  missingObjectKey: [400, 'missing object_key'],
  invalidObjectKey: [400, 'invalid object_key'],
  invalidCounters: [400, 'invalid file_count/file_uploaded_count'],
  invalidWorkspaceId: [400, 'invalid workspace_id'],
  workspaceForbidden: [403, 'workspace forbidden'],
  workspaceNotFound: [404, 'workspace not found'],
  objectNotFound: [404, 'object not found'],
  objectCheckFailed: [502, 'object check failed'],
  payloadTooLarge: [413, 'payload too large'],
  stsFailed: [500, 'sts failed'],
  shuttingDown: [503, 'shutting down'],
  internalError: [500, 'internal error']
} as const satisfies Record<string, readonly [status: number, message: string]>

export type RefusalReason = keyof typeof refusals

/** A call that is answered with one of {@link refusals}. */
export class PilotRefusal extends Error {
  override readonly name = 'PilotRefusal'
  readonly reason: RefusalReason
  constructor(reason: RefusalReason, options?: ErrorOptions) {
    super(refusals[reason][1], options)
    this.reason = reason
  }
}

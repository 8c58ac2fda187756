/** Every error the endpoint answers: code → HTTP status and the sentence used when a thrower has nothing better to say. */
const catalogue = {
  AccessDenied: [403, 'Access Denied.'],
  AccessForbidden: [403, 'CORSResponse: this CORS request is not allowed.'],
  AuthorizationHeaderMalformed: [400, 'The authorization header is malformed.'],
  AuthorizationQueryParametersError: [400, 'The query string authentication parameters are malformed.'],
  AccessControlListNotSupported: [400, 'Only the canned ACL "private" is supported.'],
  BadDigest: [400, 'The checksum you specified did not match what was received.'],
  BucketAlreadyExists: [409, 'The requested bucket name is taken by another owner.'],
  BucketAlreadyOwnedByYou: [409, 'You already own this bucket.'],
  BucketNotEmpty: [409, 'The bucket you tried to delete is not empty.'],
  ConditionalRequestConflict: [409, 'A concurrent write to this key finished first; try again.'],
  EntityTooLarge: [400, 'The upload is larger than the maximum allowed size.'],
  EntityTooSmall: [400, 'A part other than the last is smaller than the minimum allowed size.'],
  ExpiredToken: [400, 'The provided token has expired.'],
  IllegalLocationConstraintException: [400, 'The location constraint does not match the region of this endpoint.'],
  IncompleteBody: [400, 'The request body does not have the announced length or framing.'],
  InsufficientStorage: [507, 'The storage is full.'],
  InternalError: [500, 'We encountered an internal error. Please try again.'],
  InvalidAccessKeyId: [403, 'The access key id you provided does not exist in our records.'],
  InvalidArgument: [400, 'Invalid argument.'],
  InvalidBucketName: [400, 'The specified bucket is not valid.'],
  InvalidDigest: [400, 'The Content-MD5 you specified is not valid.'],
  InvalidPart: [400, 'One or more of the specified parts could not be found or its ETag did not match.'],
  InvalidPartNumber: [416, 'The requested part number is not satisfiable.'],
  InvalidPartOrder: [400, 'The list of parts was not in ascending order.'],
  InvalidRange: [416, 'The requested range is not satisfiable.'],
  InvalidRequest: [400, 'Invalid request.'],
  InvalidStorageClass: [400, 'The storage class you specified is not valid.'],
  InvalidToken: [400, 'The provided token is malformed or otherwise invalid.'],
  InvalidURI: [400, 'The specified URI could not be parsed.'],
  KeyTooLongError: [400, 'Your key is too long.'],
  MalformedTrailerError: [400, 'The request trailer is missing, unexpected or malformed.'],
  MalformedXML: [400, 'The XML you provided was not well-formed or did not validate.'],
  MetadataTooLarge: [400, 'Your metadata headers exceed the maximum allowed size of 2 KiB.'],
  MethodNotAllowed: [405, 'The specified method is not allowed against this resource.'],
  MissingContentLength: [411, 'You must provide the Content-Length HTTP header.'],
  MissingSecurityHeader: [400, 'Your request is missing a required header.'],
  NoSuchBucket: [404, 'The specified bucket does not exist.'],
  NoSuchCORSConfiguration: [404, 'The CORS configuration does not exist.'],
  NoSuchKey: [404, 'The specified key does not exist.'],
  NoSuchUpload: [404, 'The specified multipart upload does not exist. It may have been aborted or completed.'],
  NotImplemented: [501, 'A header or sub-resource you provided implies functionality that is not implemented.'],
  PreconditionFailed: [412, 'At least one of the preconditions you specified did not hold.'],
  RequestTimeTooSkewed: [403, 'The difference between the request time and the server time is too large.'],
  RequestTimeout: [400, 'No data was received on the connection for too long.'],
  ServiceUnavailable: [503, 'The service is not available right now. Please try again.'],
  SignatureDoesNotMatch: [403, 'The request signature we calculated does not match the signature you provided.'],
  SlowDown: [503, 'Please reduce your request rate.'],
  XAmzContentSHA256Mismatch: [400, 'The provided x-amz-content-sha256 does not match what was computed.'],
  // Only the STS actions answer these.
  InvalidAction: [400, 'The action is not valid for this endpoint.'],
  InvalidClientTokenId: [403, 'The access key id you provided does not exist in our records.'],
  MalformedPolicyDocument: [400, 'The policy document is malformed.'],
  MissingParameter: [400, 'A required parameter is missing.'],
  PackedPolicyTooLarge: [400, 'The session policy is larger than 2048 characters.'],
  ValidationError: [400, 'A parameter does not satisfy its constraints.']
} as const satisfies Record<string, readonly [status: number, message: string]>

/** Stable error code of the S3 and STS protocols. */
export type S3ErrorCode = keyof typeof catalogue

export interface S3ErrorDetails {
  /** Replaces the catalogue's sentence. Never contains a secret, a token or an expected signature. */
  message?: string
  /** Extra children of the `<Error>` element, in order (`Key`, `BucketName`, `Region`, …). */
  fields?: Record<string, string>
  /** Extra response headers, such as `Retry-After` or `Content-Range`. */
  headers?: Record<string, string>
  cause?: unknown
}

/** A refusal as the client sees it. Anything else that is thrown becomes `InternalError`. */
export class S3Error extends Error {
  readonly code: S3ErrorCode
  readonly status: number
  readonly fields: Record<string, string>
  readonly headers: Record<string, string>

  constructor(code: S3ErrorCode, details: S3ErrorDetails = {}) {
    super(details.message ?? catalogue[code][1], details.cause === undefined ? {} : { cause: details.cause })
    this.name = 'S3Error'
    this.code = code
    this.status = catalogue[code][0]
    this.fields = details.fields ?? {}
    this.headers = details.headers ?? (this.status === 503 ? { 'retry-after': '1' } : {})
  }
}

/** Shorthand for the most frequent refusal: 400 `InvalidArgument` naming the argument and its value. */
export function invalidArgument(name: string, value: string, message?: string): S3Error {
  return new S3Error('InvalidArgument', {
    message: message ?? `Invalid value for ${name}.`,
    fields: { ArgumentName: name, ArgumentValue: value.slice(0, 256) }
  })
}

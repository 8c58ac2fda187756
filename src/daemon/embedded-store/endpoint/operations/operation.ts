import type { Readable } from 'node:stream'
import type { Credential } from '../../credentials/identity-service.ts'
import type { ByteRange, ChecksumAlgorithm, ObjectHandle } from '../../engine/storage-engine.ts'
import type { PolicyContext } from '../../policy/policy-conditions.ts'
import type { Headers } from '../headers.ts'
import type { ReceivedObjectBody } from '../object-body.ts'
import type { QueryParameters } from '../request-target.ts'
import type { ServedStorage } from '../served-storage.ts'
import type { PartOfUpload } from '../upload-progress.ts'
import type { XmlElement } from '../xml-reader.ts'

/** A finished answer. Header names are lower-case; a string body is XML unless a content type says otherwise. */
export interface S3Response {
  status: number
  headers?: Record<string, string>
  body?: string | Buffer | Readable | ObjectPart
}

/** A range of an opened object, read while it is sent. Whoever sends it closes the object. */
export type ObjectPart = { object: ObjectHandle; range: ByteRange }

/** One thing the caller must be allowed to do. */
export interface RequiredAccess {
  action: string
  /** `''`, `bucket` or `bucket/key`. */
  resource: string
  context?: PolicyContext
}

/** A verified request, as operations see it. `bucket` and `key` are empty on the levels that have none. */
export interface S3Request {
  readonly bucket: string
  readonly key: string
  readonly query: QueryParameters
  readonly headers: Headers
  readonly caller: Credential
}

/** A request that may go ahead, with the means to carry it out. */
export interface OperationContext extends S3Request {
  readonly engine: ServedStorage
  readonly region: string
  /** The declared `x-amz-content-sha256`, or `UNSIGNED-PAYLOAD`. */
  readonly payloadHash: string
  /** Whether the caller may also do this; an answer of no is recorded. For operations that judge single entries. */
  allows(access: RequiredAccess): boolean
  /** The same question without a trace, for showing what a caller may see. */
  mayPossibly(access: RequiredAccess): boolean
  /**
   * For operations that judge single entries; all others run only when this holds.
   * @throws StorageError NoSuchBucket, S3Error AccessDenied when the bucket is another owner's than the request expects
   */
  assertBucket(): Promise<void>
  /** Whether an XML body was sent. */
  readonly hasBody: boolean
  /** Parses the body, whose digests have been checked, as XML with the given root. */
  xmlBody(root: string): XmlElement
  /** Receives the object body; see `object-body.ts`. Once it is committed or refused, the pipeline reports its end. */
  receiveObject(options: {
    /** Null for a whole object. */
    part: PartOfUpload | null
    requiredAlgorithm?: ChecksumAlgorithm | undefined
    beforeBody(): Promise<void>
  }): Promise<ReceivedObjectBody>
}

export interface Operation {
  readonly name: string
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly level: 'service' | 'bucket' | 'object'
  /** Sub-resource parameters that must be in the query. */
  readonly subresources?: readonly string[]
  /** Further sub-resource parameters it understands. */
  readonly optional?: readonly string[]
  /** Whether `x-amz-copy-source` selects it. */
  readonly copies?: true
  /** What the request body is: absent, an XML document, or the bytes of an object. */
  readonly body: 'none' | 'xml' | 'object'
  /** The XML body may be left out. */
  readonly bodyOptional?: true
  /** Checksum headers describe the object the request makes, not the XML body. */
  readonly checksumsOfObject?: true
  /** The bucket it names need not exist. */
  readonly makesBucket?: true
  /** The caller is judged entry by entry, and may hear of the bucket only where an entry is allowed. */
  readonly judgesEntries?: true
  /** A captured request must not work twice. */
  readonly refusesReplay?: true
  /** May take long: the answer is begun early and padded with spaces. */
  readonly mayTakeLong?: true
  /** Everything the caller must be allowed to do. */
  access(request: S3Request): RequiredAccess[]
  handle(context: OperationContext): Promise<S3Response>
}

/** Access to the object the request names. */
export function onObject(action: string): (request: S3Request) => RequiredAccess[] {
  return ({ bucket, key }) => [{ action, resource: `${bucket}/${key}` }]
}

/** Access to the bucket the request names. */
export function onBucket(action: string): (request: S3Request) => RequiredAccess[] {
  return ({ bucket }) => [{ action, resource: bucket }]
}

/** Access to list a bucket, with the listing parameters that policies may restrict. */
export function onListing(action: string): (request: S3Request) => RequiredAccess[] {
  return ({ bucket, query }) => [
    {
      action,
      resource: bucket,
      context: {
        's3:prefix': query.get('prefix'),
        's3:delimiter': query.get('delimiter'),
        's3:max-keys': query.get('max-keys')
      }
    }
  ]
}

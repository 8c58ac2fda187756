import { ObjectStoreError } from './object-store.ts'

const BUCKET = /^[a-z0-9.-]{3,63}$/
const PREFIX = /^[A-Za-z0-9._/-]+\/$/
/** AWS and MinIO measure the document in these characters. */
const MAX_POLICY_CHARACTERS = 2048

type Statement = {
  Sid: string
  Effect: 'Allow'
  Action: string[]
  Resource: string[]
  Condition?: { StringLike: { 's3:prefix': string[] } }
}
export type SessionPolicy = { Version: '2012-10-17'; Statement: Statement[] }

/**
 * What temporary credentials of a controller may do: add objects under the prefixes and look at those, never delete. `strict` leaves
 * out the looking, which some upload clients need; `embedded` adds the listing of unfinished uploads, which our own store can
 * hold to a prefix (MinIO refuses a policy with that condition, AWS does not know it). The names are checked so that no wildcard or policy variable can slip in:
 * `InvalidArgument`.
 */
export function buildSessionPolicy(options: {
  bucket: string
  /** Each ends in `/`. */
  prefixes: readonly string[]
  mode?: 'strict' | 'relaxed' | 'embedded'
}): SessionPolicy {
  const { bucket, prefixes, mode = 'relaxed' } = options
  if (!BUCKET.test(bucket)) throw new ObjectStoreError('InvalidArgument', `"${bucket}" cannot be a bucket name.`)
  if (prefixes.length === 0) throw new ObjectStoreError('InvalidArgument', 'Credentials need at least one prefix.')
  for (const prefix of prefixes)
    if (!PREFIX.test(prefix) || prefix.split('/').includes('..'))
      throw new ObjectStoreError('InvalidArgument', `"${prefix}" cannot be a key prefix of credentials.`)

  const bucketArn = `arn:aws:s3:::${bucket}`
  const objectArns = prefixes.map((prefix) => `${bucketArn}/${prefix}*`)
  const allow = (sid: string, actions: string[], resources: string[]): Statement => ({
    Sid: sid,
    Effect: 'Allow',
    Action: actions,
    Resource: resources
  })
  const policy: SessionPolicy = {
    Version: '2012-10-17',
    Statement: [
      allow('Upload', ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], objectArns),
      allow('Locate', ['s3:GetBucketLocation'], [bucketArn])
    ]
  }
  const listings = mode === 'embedded' ? ['s3:ListBucket', 's3:ListBucketMultipartUploads'] : ['s3:ListBucket']
  if (mode !== 'strict')
    policy.Statement.push(allow('VerifyOwn', ['s3:GetObject'], objectArns), {
      ...allow('ListOwn', listings, [bucketArn]),
      Condition: { StringLike: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) } }
    })
  if (JSON.stringify(policy).length > MAX_POLICY_CHARACTERS)
    throw new ObjectStoreError('InvalidArgument', 'Too many prefixes for one set of credentials.')
  return policy
}

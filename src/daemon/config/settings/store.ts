import { z } from 'zod'
import { prefixProblem } from '../../object-keys.ts'
import { type StoreProfileName, storeProfileNames, storeProfiles } from '../../object-store/store-profiles.ts'
import { type ListenAddress, listen, listenSchema } from './listeners.ts'
import { httpUrlSchema, setting, switchSchema, type ValuesOf } from './setting.ts'

const MIB = 1024 ** 2
/** Set as role, it leaves the role out of the request. */
const NO_ROLE = 'none'

/** An S3 server of somebody else's. */
export type StoreServer = {
  endpoint: string
  accessKey: string
  secretKey: string
  profile: StoreProfileName
  /** Where AssumeRole is answered; null: at `endpoint`. */
  stsEndpoint: string | null
  /** Null leaves it out; undefined: the one that servers take which do not look at it. */
  roleArn: string | null | undefined
  policyMode: 'relaxed' | 'strict'
  /** Null: as the profile has it. */
  forcePathStyle: boolean | null
  partSizeBytes: number
}

/** The embedded S3 endpoint. */
export type EndpointConfig = {
  listen: ListenAddress
  /** Null: kept in a file of the store. */
  rootKey: Buffer | null
  explainSignatures: boolean
}

export type StoreConfig = {
  publicEndpoint: string | null
  bucket: string
  region: string
  /** What every key stands below that is not a controller's, without slashes around it; null: nothing. */
  rootPrefix: string | null
} & (
  | ({ mode: 'embedded' } & EndpointConfig)
  | ({ mode: 'external' } & StoreServer)
  /** The embedded endpoint before a server of somebody else's. */
  | ({ mode: 'gateway' } & EndpointConfig & StoreServer)
)

/** Where bytes are kept. */
export const storeSettings = {
  s3: setting({
    toml: 's3',
    env: 'FLIGHTCASE_S3',
    flag: '--s3',
    help: 'address of the embedded object store',
    schema: listenSchema
  }),
  s3RootKey: setting({
    toml: 'store.root_key',
    env: 'FLIGHTCASE_S3_ROOT_KEY',
    help: 'what the credentials of the embedded store are sealed with, 64 hex digits; otherwise made once and kept in the store',
    secret: true,
    schema: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits')
      .transform((hex) => Buffer.from(hex, 'hex'))
  }),
  s3ExplainSignatures: setting({
    toml: 'store.explain_signatures',
    env: 'FLIGHTCASE_S3_EXPLAIN_SIGNATURES',
    help: 'the embedded store shows a client with a wrong signature what it took as signed; for writing clients',
    schema: switchSchema
  }),
  objectStore: setting({
    toml: 'store.mode',
    env: 'FLIGHTCASE_OBJECT_STORE',
    help: 'embedded, external, or gateway: the embedded endpoint before an external store',
    schema: z.enum(['embedded', 'external', 'gateway'])
  }),
  s3Endpoint: setting({
    toml: 'store.endpoint',
    env: 'FLIGHTCASE_S3_ENDPOINT',
    help: 'external store as the daemon reaches it',
    schema: httpUrlSchema
  }),
  s3PublicEndpoint: setting({
    toml: 'store.public_endpoint',
    env: 'FLIGHTCASE_S3_PUBLIC_ENDPOINT',
    help: 'store as controllers reach it, when that is not the address they already use',
    schema: httpUrlSchema
  }),
  s3AccessKey: setting({
    toml: 'store.access_key',
    env: 'FLIGHTCASE_S3_ACCESS_KEY',
    help: 'access key of the external store',
    secret: true,
    schema: z.string().min(1)
  }),
  s3SecretKey: setting({
    toml: 'store.secret_key',
    env: 'FLIGHTCASE_S3_SECRET_KEY',
    help: 'secret key of the external store',
    secret: true,
    schema: z.string().min(1)
  }),
  s3Bucket: setting({
    toml: 'store.bucket',
    env: 'FLIGHTCASE_S3_BUCKET',
    help: 'bucket that holds the media',
    schema: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a valid bucket name')
  }),
  s3Region: setting({
    toml: 'store.region',
    env: 'FLIGHTCASE_S3_REGION',
    help: 'region that requests are signed for',
    schema: z.string().min(1).max(64)
  }),
  s3RootPrefix: setting({
    toml: 'store.root_prefix',
    env: 'FLIGHTCASE_BUCKET_ROOT_PREFIX',
    help: 'what stands before the keys of all objects but those that controllers upload: `tenant-a/media`',
    schema: z.string().superRefine((prefix, context) => {
      const problem = prefix === '' ? null : prefixProblem(prefix)
      if (problem !== null) context.addIssue(problem)
    })
  }),
  s3Profile: setting({
    toml: 'store.profile',
    env: 'FLIGHTCASE_S3_PROFILE',
    help: 'what kind of server the external store is: minio (also Silo, AIStor), rustfs, seaweedfs, ceph, aws, oss, cos or generic',
    schema: z.enum(storeProfileNames)
  }),
  s3StsEndpoint: setting({
    toml: 'store.sts_endpoint',
    env: 'FLIGHTCASE_S3_STS_ENDPOINT',
    help: 'where the external store issues temporary credentials, when that is another address',
    schema: httpUrlSchema
  }),
  s3RoleArn: setting({
    toml: 'store.role_arn',
    env: 'FLIGHTCASE_S3_ROLE_ARN',
    help: 'role behind the credentials of controllers; none: name no role',
    schema: z.union([
      z.literal(NO_ROLE),
      z.string().regex(/^arn:[!-~]{16,2044}$/, 'must be a role ARN (20 to 2048 characters), or none')
    ])
  }),
  s3PolicyMode: setting({
    toml: 'store.policy_mode',
    env: 'FLIGHTCASE_S3_POLICY_MODE',
    help: 'relaxed: controllers may also look at what they uploaded; strict: they can only add',
    schema: z.enum(['relaxed', 'strict'])
  }),
  s3ForcePathStyle: setting({
    toml: 'store.force_path_style',
    env: 'FLIGHTCASE_S3_FORCE_PATH_STYLE',
    help: 'whether the bucket stands in the path instead of the host name, when the profile is wrong about it',
    schema: switchSchema
  }),
  s3PartMib: setting({
    toml: 'store.part_mib',
    env: 'FLIGHTCASE_S3_PART_MIB',
    help: 'MiB in each part of a large object that the base sends to an external store, 5 to 1024',
    schema: z
      .string()
      .regex(/^\d{1,4}$/, 'must be a whole number')
      .transform(Number)
      .pipe(z.number().min(5).max(1024))
  })
} as const

export const storeDefaults = {
  s3: { host: '0.0.0.0', port: 9000 },
  objectStore: 'embedded',
  s3Bucket: 'media',
  s3Region: 'us-east-1',
  s3Profile: 'minio',
  s3PolicyMode: 'relaxed',
  s3PartMib: 16
} as const satisfies ValuesOf<typeof storeSettings>

export function storeConfig(values: ValuesOf<typeof storeSettings>): StoreConfig {
  const common = {
    bucket: values.s3Bucket ?? storeDefaults.s3Bucket,
    region: values.s3Region ?? storeDefaults.s3Region,
    publicEndpoint: values.s3PublicEndpoint ?? null,
    rootPrefix: values.s3RootPrefix || null
  }
  const endpoint = {
    listen: listen(values.s3, storeDefaults.s3),
    rootKey: values.s3RootKey ?? null,
    explainSignatures: values.s3ExplainSignatures ?? false
  }
  const mode = values.objectStore ?? storeDefaults.objectStore
  if (mode === 'embedded') return { mode, ...endpoint, ...common }
  const server = storeServer(values, common.region)
  return mode === 'external' ? { mode, ...server, ...common } : { mode, ...endpoint, ...server, ...common }
}

function storeServer(values: ValuesOf<typeof storeSettings>, region: string): StoreServer {
  const { s3Endpoint, s3AccessKey, s3SecretKey, s3RoleArn } = values
  if (s3Endpoint === undefined || s3AccessKey === undefined || s3SecretKey === undefined)
    throw new Error('missingForStore has let an incomplete external store pass')
  const profile = values.s3Profile ?? storeDefaults.s3Profile
  const namesNoRole = s3RoleArn === NO_ROLE || (s3RoleArn === undefined && storeProfiles[profile].role === 'none')
  return {
    endpoint: s3Endpoint,
    accessKey: s3AccessKey,
    secretKey: s3SecretKey,
    profile,
    stsEndpoint: values.s3StsEndpoint ?? (profile === 'aws' ? `https://sts.${region}.amazonaws.com` : null),
    roleArn: namesNoRole ? null : s3RoleArn,
    policyMode: values.s3PolicyMode ?? storeDefaults.s3PolicyMode,
    forcePathStyle: values.s3ForcePathStyle ?? null,
    partSizeBytes: (values.s3PartMib ?? storeDefaults.s3PartMib) * MIB
  }
}

/** An external store cannot do without these; one that is given but wrong is a mistake of its own already. */
const NEEDED_FOR_EXTERNAL = ['s3Endpoint', 's3AccessKey', 's3SecretKey'] as const

/** What is missing beside what was given, and what does not go together. */
export function missingForStore(values: ValuesOf<typeof storeSettings>, given: ReadonlySet<string>): string[] {
  const mode = values.objectStore ?? storeDefaults.objectStore
  if (mode === 'embedded') return []
  const name = values.s3Profile ?? storeDefaults.s3Profile
  const profile = storeProfiles[name]
  const problems = NEEDED_FOR_EXTERNAL.filter((each) => !given.has(each)).map((each) =>
    needed(each, 'with an external store')
  )
  // Behind the gateway nobody asks for credentials.
  if (mode === 'gateway') return problems
  if (!profile.issuesCredentials)
    problems.push(
      `${storeSettings.s3Profile.env} (${storeSettings.s3Profile.toml}): ${name} needs the store mode gateway`
    )
  if (profile.role === 'set' && !given.has('s3RoleArn')) problems.push(needed('s3RoleArn', `with the profile ${name}`))
  return problems
}

const needed = (name: keyof typeof storeSettings, why: string) =>
  `${storeSettings[name].env} (${storeSettings[name].toml}): needed ${why}`

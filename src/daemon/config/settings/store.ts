import { z } from 'zod'
import { prefixProblem } from '../../object-keys.ts'
import { type ListenAddress, listen, listenSchema } from './listeners.ts'
import { httpUrlSchema, setting, type ValuesOf } from './setting.ts'

export type StoreConfig = {
  publicEndpoint: string | null
  bucket: string
  region: string
  /** What every key stands below that is not a controller's, without slashes around it; null: nothing. */
  rootPrefix: string | null
} & (
  | { mode: 'embedded'; listen: ListenAddress }
  | { mode: 'external'; endpoint: string; accessKey: string; secretKey: string }
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
  objectStore: setting({
    toml: 'store.mode',
    env: 'FLIGHTCASE_OBJECT_STORE',
    help: 'embedded or external',
    schema: z.enum(['embedded', 'external'])
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
  })
} as const

export const storeDefaults = {
  s3: { host: '0.0.0.0', port: 9000 },
  objectStore: 'embedded',
  s3Bucket: 'media',
  s3Region: 'us-east-1'
} as const satisfies ValuesOf<typeof storeSettings>

export function storeConfig(values: ValuesOf<typeof storeSettings>): StoreConfig {
  const common = {
    bucket: values.s3Bucket ?? storeDefaults.s3Bucket,
    region: values.s3Region ?? storeDefaults.s3Region,
    publicEndpoint: values.s3PublicEndpoint ?? null,
    rootPrefix: values.s3RootPrefix || null
  }
  const { s3Endpoint, s3AccessKey, s3SecretKey } = values
  if ((values.objectStore ?? storeDefaults.objectStore) === 'embedded')
    return { mode: 'embedded', listen: listen(values.s3, storeDefaults.s3), ...common }
  if (s3Endpoint === undefined || s3AccessKey === undefined || s3SecretKey === undefined)
    throw new Error('missingForStore has let an incomplete external store pass')
  return { mode: 'external', endpoint: s3Endpoint, accessKey: s3AccessKey, secretKey: s3SecretKey, ...common }
}

/** An external store cannot do without these; one that is given but wrong is a mistake of its own already. */
const NEEDED_FOR_EXTERNAL = ['s3Endpoint', 's3AccessKey', 's3SecretKey'] as const

/** What is missing beside what was given. */
export function missingForStore(values: ValuesOf<typeof storeSettings>, given: ReadonlySet<string>): string[] {
  if (values.objectStore !== 'external') return []
  return NEEDED_FOR_EXTERNAL.filter((name) => !given.has(name)).map(
    (name) => `${storeSettings[name].env} (${storeSettings[name].toml}): needed with an external store`
  )
}

import type { StoreServer } from '../config/settings/store.ts'
import type { S3ObjectStoreOptions } from './s3-object-store.ts'
import { storeProfiles } from './store-profiles.ts'

/** The driver's options for the server of the configuration. */
export function externalOptions(
  config: StoreServer & { bucket: string; region: string; publicEndpoint: string | null }
): S3ObjectStoreOptions {
  const { endpoint, bucket, region, stsEndpoint, roleArn, policyMode, partSizeBytes } = config
  const profile = storeProfiles[config.profile]
  return {
    endpoint,
    publicEndpoint: () => config.publicEndpoint ?? endpoint,
    region,
    bucket,
    credentials: { accessKeyId: config.accessKey, secretAccessKey: config.secretKey },
    forcePathStyle: config.forcePathStyle ?? profile.forcePathStyle,
    takesChecksums: profile.takesChecksums,
    takesConditions: profile.takesConditions,
    answersExpect: profile.answersExpect,
    partSizeBytes,
    ...(stsEndpoint !== null && { stsEndpoint }),
    sts: { policyMode, ...(roleArn !== undefined && { roleArn }) }
  }
}

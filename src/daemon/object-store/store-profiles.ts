/** What is known of a family of S3 servers. */
export type StoreProfile = {
  /** What controllers are told that it is. */
  provider: 'minio' | 'aws'
  /** Whether there is AssumeRole, in the form of AWS. */
  issuesCredentials: boolean
  /** False where the bucket has to stand in the host name. */
  forcePathStyle: boolean
  /** Whether `x-amz-checksum-*` headers are understood; elsewhere Content-MD5 takes their place. */
  takesChecksums: boolean
  /** Whether a PUT may have If-Match and If-None-Match. */
  takesConditions: boolean
  /** Whether the server and whatever stands before it answer `Expect: 100-continue`. */
  answersExpect: boolean
  /** The role that AssumeRole names unless one is set: any will do, none may be named, or it has to be set. */
  role: 'any' | 'none' | 'set'
}

const like: StoreProfile = {
  provider: 'minio',
  issuesCredentials: true,
  forcePathStyle: true,
  takesChecksums: true,
  takesConditions: true,
  answersExpect: true,
  role: 'any'
}
const cloud: StoreProfile = {
  ...like,
  issuesCredentials: false,
  forcePathStyle: false,
  takesChecksums: false,
  takesConditions: false,
  answersExpect: false
}

/** By the name that is set. `minio` stands for Silo and AIStor, too. */
export const storeProfiles = {
  minio: like,
  rustfs: like,
  /** Takes any role for a real one. */
  seaweedfs: { ...like, role: 'none' },
  ceph: { ...like, role: 'set' },
  aws: { ...like, provider: 'aws', forcePathStyle: false, role: 'set' },
  /** Aliyun OSS; it has temporary credentials, but not in this form. */
  oss: cloud,
  /** Tencent COS, likewise. */
  cos: cloud,
  /** A server nothing is known of: only what all of them understand. */
  generic: { ...like, takesChecksums: false, answersExpect: false }
} as const satisfies Record<string, StoreProfile>

export type StoreProfileName = keyof typeof storeProfiles
export const storeProfileNames = Object.keys(storeProfiles) as [StoreProfileName, ...StoreProfileName[]]

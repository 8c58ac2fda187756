import { z } from 'zod'
import { amountSchema, httpUrlSchema, listSchema, setting, switchSchema, type ValuesOf } from './setting.ts'

/** The message brokers that are told what happens; null for none. */
export interface SinksConfig {
  redis: { url: string; stream: string; streamMax: number } | null
  kafka: KafkaConfig | null
}

export interface KafkaConfig {
  /** `HOST:PORT` each. */
  brokers: string[]
  topic: string
  isTls: boolean
  /** Null where Kafka lets everybody in. */
  login: { mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username: string; password: string } | null
}

/** Who is told what happens. */
export const outgoingSettings = {
  webhooksPublicOnly: setting({
    toml: 'webhooks.public_only',
    env: 'FLIGHTCASE_WEBHOOKS_PUBLIC_ONLY',
    help: 'refuse webhooks to addresses that only this network reaches',
    schema: switchSchema
  }),
  redisUrl: setting({
    toml: 'redis.url',
    env: 'FLIGHTCASE_REDIS_URL',
    help: 'Redis that is told what happens, with user and password where it wants them',
    secret: true,
    schema: z.url({ protocol: /^rediss?$/, error: 'must be a URL beginning with redis:// or rediss://' })
  }),
  redisStream: setting({
    toml: 'redis.stream',
    env: 'FLIGHTCASE_REDIS_STREAM',
    help: 'key of the stream that gets every event',
    schema: z.string().min(1).max(512)
  }),
  redisStreamMax: setting({
    toml: 'redis.stream_max',
    env: 'FLIGHTCASE_REDIS_STREAM_MAX',
    help: 'about how many events the stream keeps',
    schema: amountSchema(1e9).pipe(z.int('must be a whole number').min(1, 'must be at least 1'))
  }),
  kafkaBrokers: setting({
    toml: 'kafka.brokers',
    env: 'FLIGHTCASE_KAFKA_BROKERS',
    help: 'Kafka brokers (HOST:PORT) that are told what happens',
    schema: listSchema(z.string().regex(/^[^\s,/:]+:\d{1,5}$/, 'must be HOST:PORT')).refine((list) => list.length > 0)
  }),
  kafkaTopic: setting({
    toml: 'kafka.topic',
    env: 'FLIGHTCASE_KAFKA_TOPIC',
    help: 'topic that gets every event',
    schema: z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'must be the name of a topic')
  }),
  kafkaTls: setting({
    toml: 'kafka.tls',
    env: 'FLIGHTCASE_KAFKA_TLS',
    help: 'talk to Kafka through TLS',
    schema: switchSchema
  }),
  kafkaUsername: setting({
    toml: 'kafka.username',
    env: 'FLIGHTCASE_KAFKA_USERNAME',
    help: 'user for Kafka, where it wants one',
    schema: z.string().min(1)
  }),
  kafkaPassword: setting({
    toml: 'kafka.password',
    env: 'FLIGHTCASE_KAFKA_PASSWORD',
    help: 'password of that user',
    secret: true,
    schema: z.string().min(1)
  }),
  kafkaSasl: setting({
    toml: 'kafka.sasl',
    env: 'FLIGHTCASE_KAFKA_SASL',
    help: 'PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512: how that user signs in',
    schema: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
  }),
  otlpEndpoint: setting({
    toml: 'telemetry.otlp_endpoint',
    env: 'FLIGHTCASE_OTLP_ENDPOINT',
    help: 'OpenTelemetry collector (OTLP over HTTP) that gets traces and metrics',
    schema: httpUrlSchema
  })
} as const

export const outgoingDefaults = {
  redisStream: 'flightcase:events',
  redisStreamMax: 1_000_000,
  kafkaTopic: 'flightcase.events',
  kafkaSasl: 'PLAIN'
} as const satisfies ValuesOf<typeof outgoingSettings>

export function sinksConfig(values: ValuesOf<typeof outgoingSettings>): SinksConfig {
  return { redis: redisConfig(values), kafka: kafkaConfig(values) }
}

function redisConfig({
  redisUrl,
  redisStream,
  redisStreamMax
}: ValuesOf<typeof outgoingSettings>): SinksConfig['redis'] {
  if (redisUrl === undefined) return null
  return {
    url: redisUrl,
    stream: redisStream ?? outgoingDefaults.redisStream,
    streamMax: redisStreamMax ?? outgoingDefaults.redisStreamMax
  }
}

function kafkaConfig(values: ValuesOf<typeof outgoingSettings>): SinksConfig['kafka'] {
  const { kafkaBrokers: brokers, kafkaUsername: username, kafkaPassword: password } = values
  if (brokers === undefined) return null
  const mechanism = values.kafkaSasl ?? outgoingDefaults.kafkaSasl
  return {
    brokers,
    topic: values.kafkaTopic ?? outgoingDefaults.kafkaTopic,
    isTls: values.kafkaTls ?? false,
    login: username === undefined || password === undefined ? null : { mechanism, username, password }
  }
}

/** What is missing beside what was given. */
export function missingForKafka(given: ReadonlySet<string>): string[] {
  if (given.has('kafkaUsername') === given.has('kafkaPassword')) return []
  const missing = outgoingSettings[given.has('kafkaUsername') ? 'kafkaPassword' : 'kafkaUsername']
  return [`${missing.env} (${missing.toml}): a user and a password for Kafka belong together`]
}

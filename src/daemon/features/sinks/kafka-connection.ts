import { ProduceAcks, Producer, stringSerializers } from '@platformatic/kafka'
import type { KafkaConfig } from '../../config/settings/outgoing.ts'
import { messageOf } from '../../errors.ts'
import { CLOUD_EVENT_TYPE, toCloudEvent } from '../../events/cloud-event.ts'
import type { SinkConnection } from './sink.ts'

export interface KafkaSinkOptions extends KafkaConfig {
  /** Of the envelopes. */
  source: string
}

const ANSWER_MS = 5000

/**
 * Kafka: every event as a CloudEvent (Kafka protocol binding, structured mode), with its subject as the key: the events about
 * one asset stay in order. All replicas in sync have it before it counts.
 */
export function connectKafka({ brokers, topic, source, isTls, login }: KafkaSinkOptions): SinkConnection {
  const producer = new Producer({
    clientId: 'flightcase',
    bootstrapBrokers: brokers,
    serializers: stringSerializers,
    acks: ProduceAcks.ALL,
    autocreateTopics: true,
    // The same events come again anyway, and in order.
    retries: 0,
    connectTimeout: ANSWER_MS,
    requestTimeout: ANSWER_MS,
    timeout: ANSWER_MS,
    ...(isTls ? { tls: {} } : {}),
    ...(login ? { sasl: login } : {})
  })
  return {
    async send(events) {
      const messages = events.map((event) => ({
        topic,
        key: event.subject,
        value: JSON.stringify(toCloudEvent(event, source)),
        headers: { 'content-type': `${CLOUD_EVENT_TYPE}; charset=UTF-8` },
        timestamp: BigInt(Date.parse(event.at))
      }))
      try {
        await producer.send({ messages, acks: ProduceAcks.ALL })
      } catch (error) {
        throw new Error(reasonOf(error), { cause: error })
      }
    },
    close: async () => {
      await producer.close(true)
    }
  }
}

/** What the client says, and what is behind it. */
function reasonOf(error: unknown): string {
  const inner = error instanceof AggregateError ? error.errors[0] : error instanceof Error ? error.cause : undefined
  return inner === undefined ? messageOf(error) : `${messageOf(error)} ${reasonOf(inner)}`
}

import { randomUUID } from 'node:crypto'
import { Consumer, stringDeserializers } from '@platformatic/kafka'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { listSinks } from '../../../shared/api/sinks.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import { type FakeRecord, startFakeKafka } from '../../testing/fake-kafka.ts'
import { startTestDaemon } from '../../testing/test-daemon.ts'
import { assetNames, firstTimes, startTestSink } from '../../testing/test-sink.ts'
import { connectKafka } from './kafka-connection.ts'

const realBroker = process.env['FLIGHTCASE_TEST_KAFKA']
const which = realBroker === undefined ? 'a fake that speaks its protocol' : `the one at ${realBroker}`

/** A broker, a topic nobody else uses, and what is in it. */
async function startBroker(): Promise<{ broker: string; topic: string; read: () => Promise<FakeRecord[]> }> {
  const topic = `flightcase.${randomUUID()}`
  if (realBroker === undefined) {
    const fake = await startFakeKafka()
    return { broker: fake.broker, topic, read: async () => fake.records }
  }
  let records: FakeRecord[] | undefined
  return { broker: realBroker, topic, read: async () => (records ??= await follow(realBroker, topic)) }
}

/** Grows with the topic. */
async function follow(broker: string, topic: string): Promise<FakeRecord[]> {
  const records: FakeRecord[] = []
  const consumer = new Consumer({
    clientId: 'test',
    groupId: randomUUID(),
    bootstrapBrokers: [broker],
    deserializers: stringDeserializers
  })
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest' })
  stream.on('data', ({ partition, key, value, headers }) =>
    records.push({ topic, partition, key, value, headers: Object.fromEntries(headers) })
  )
  onTestFinished(async () => void (await consumer.close(true)))
  return records
}

const connect = (broker: string, topic = 'flightcase.events') =>
  connectKafka({ brokers: [broker], topic, source: 'urn:flightcase:test', isTls: false, login: null })

const subjectsOf = (records: FakeRecord[]) =>
  records.map(({ value }) => (JSON.parse(value) as { subject: string }).subject)

describe(`Kafka (${which})`, () => {
  test('gets an upload as a CloudEvent with the asset as its key', async () => {
    const { broker, topic, read } = await startBroker()
    const env = { FLIGHTCASE_KAFKA_BROKERS: broker, FLIGHTCASE_KAFKA_TOPIC: topic }
    const base = await startTestDaemon({ env })
    const body = new FormData()
    body.append('file', new Blob(['some text']), 'a.txt')
    const answer = await base.fetch(uploadMedia.path, { method: 'POST', body })
    const { asset } = uploadMedia.response.parse(await answer.json())
    await base.daemon.idle()
    await vi.waitFor(async () => {
      const [sink] = (await base.api.call(listSinks, {})).items
      expect(sink).toMatchObject({ name: 'kafka', address: broker, isUp: true, lagEvents: 0 })
    }, 20_000)
    const records = await read()
    await vi.waitFor(() => expect(records.length).toBeGreaterThan(0), 20_000)
    const [arrived] = records.filter(({ value }) => value.includes('flightcase.asset.arrived'))
    expect(arrived).toMatchObject({
      topic,
      key: asset.id,
      headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' }
    })
    expect(JSON.parse(arrived!.value)).toMatchObject({ specversion: '1.0', subject: asset.id, data: { name: 'a.txt' } })
  })

  test('keeps the events about one asset in order, also over a restart', async () => {
    const { broker, topic, read } = await startBroker()
    const subjects = Array.from({ length: 600 }, (_, index) => `asset ${index % 7}`)
    const first = startTestSink('kafka', () => connect(broker, topic))
    first.append(subjects.slice(0, 300))
    await vi.waitFor(() => expect(first.sink.describe().lagEvents).toBe(0), 20_000)
    await first.sink.stop()
    first.append(subjects.slice(300))
    const second = startTestSink('kafka', () => connect(broker, topic), first.db)
    await vi.waitFor(() => expect(second.sink.describe().lagEvents).toBe(0), 20_000)
    const records = await read()
    await vi.waitFor(() => expect(records).toHaveLength(600), 20_000)
    for (const subject of new Set(subjects)) {
      const its = records.filter(({ key }) => key === subject)
      expect(new Set(its.map(({ partition }) => partition)).size).toBe(1)
      const sequences = its.map(({ value }) => (JSON.parse(value) as { sequence: string }).sequence)
      expect(sequences).toEqual(sequences.toSorted())
      expect(its).toHaveLength(subjects.filter((other) => other === subject).length)
    }
  })
})

describe('Kafka (a fake that speaks its protocol)', () => {
  test('that is away gets everything in order once it is back', async () => {
    const kafka = await startFakeKafka()
    const { sink, append } = startTestSink('kafka', () => connect(kafka.broker))
    append(assetNames(0, 10))
    await vi.waitFor(() => expect(sink.describe().lagEvents).toBe(0), 10_000)
    await kafka.goDown()
    append(assetNames(10, 300))
    await vi.waitFor(() => expect(sink.describe()).toMatchObject({ isUp: false, lagEvents: 290 }), 15_000)
    await kafka.comeBack()
    await vi.waitFor(() => expect(sink.describe()).toMatchObject({ isUp: true, lagEvents: 0 }), 30_000)
    expect(firstTimes(subjectsOf(kafka.records)).toSorted()).toEqual(assetNames(0, 300).toSorted())
  })

  test.each([
    ['has another leader by now', 6],
    ['has too few replicas', 19]
  ])('that %s is asked again', async (_, code) => {
    const kafka = await startFakeKafka()
    kafka.refuseWith(code)
    const { sink, append } = startTestSink('kafka', () => connect(kafka.broker))
    append(['a'])
    await vi.waitFor(() => expect(sink.describe()).toMatchObject({ isUp: false, lagEvents: 1 }), 15_000)
    expect(sink.describe().lastError).not.toBe('')
    kafka.refuseWith(null)
    await vi.waitFor(() => expect(sink.describe()).toMatchObject({ isUp: true, lagEvents: 0 }), 30_000)
    expect(subjectsOf(kafka.records)).toEqual(['a'])
  })

  test('that does not answer keeps nobody from stopping', async () => {
    const kafka = await startFakeKafka()
    kafka.refuseWith('silence')
    const { sink, append } = startTestSink('kafka', () => connect(kafka.broker))
    append(['a'])
    await vi.waitFor(() => expect(sink.describe()).toMatchObject({ isUp: false, lagEvents: 1 }), 15_000)
    await sink.stop()
  })

  test('that is not there is named in the reason', async () => {
    const { sink, append } = startTestSink('kafka', () => connect('127.0.0.1:1'))
    append(['a'])
    await vi.waitFor(() => expect(sink.describe().lastError).toContain('ECONNREFUSED 127.0.0.1:1'), 15_000)
  })
})

import { connect as connectSocket } from 'node:net'
import { connectAsync, type MqttClient } from 'mqtt'
import { expect, onTestFinished, test } from 'vitest'
import { socketClosed } from '../../testing/socket-closed.ts'
import { startTestDaemon, TEST_PILOT_TOKEN } from '../../testing/test-daemon.ts'

async function connect(url: string, password?: string, protocolVersion: 4 | 5 = 4): Promise<MqttClient> {
  const client = await connectAsync(url, {
    username: 'rc',
    reconnectPeriod: 0,
    protocolVersion,
    ...(password ? { password } : {})
  })
  onTestFinished(() => client.endAsync(true))
  return client
}

function nextMessage(client: MqttClient): Promise<[string, Buffer]> {
  return new Promise((resolve) => client.once('message', (topic, payload) => resolve([topic, payload])))
}

async function startBroker(): Promise<string> {
  return (await startTestDaemon()).ready.mqtt!.url
}

test('a topology report is answered with its own ids', async () => {
  const client = await connect(await startBroker(), TEST_PILOT_TOKEN)
  await client.subscribeAsync('sys/product/RC123/status_reply')
  const answer = nextMessage(client)
  const report = { tid: 't1', bid: 'b1', timestamp: 1, method: 'update_topo', data: { sub_devices: [] } }
  await client.publishAsync('sys/product/RC123/status', JSON.stringify(report), { qos: 1 })
  const [topic, payload] = await answer
  expect(topic).toBe('sys/product/RC123/status_reply')
  expect(JSON.parse(payload.toString())).toMatchObject({
    tid: 't1',
    bid: 'b1',
    method: 'update_topo',
    data: { result: 0 }
  })
})

test('MQTT 5 is refused in its own words; 3.1.1 is what the broker speaks', async () => {
  await expect(connect(await startBroker(), TEST_PILOT_TOKEN, 5)).rejects.toThrow('Unacceptable protocol version')
})

test('no token, a wrong token and an admin token are refused', async () => {
  const base = await startTestDaemon()
  const { url } = base.ready.mqtt!
  await expect(connect(url)).rejects.toThrow(/user|authorized/i)
  await expect(connect(url, 'wrong')).rejects.toThrow(/user|authorized/i)
  await expect(connect(url, base.ready.admin.token)).rejects.toThrow(/user|authorized/i)
})

test('garbage is ignored; topics that are not Pilot’s do not pass', async () => {
  const url = await startBroker()
  const client = await connect(url, TEST_PILOT_TOKEN)
  await client.publishAsync('sys/product/RC123/status', 'not json', { qos: 1 })
  const granted = await client.subscribeAsync('#').catch((error: Error) => error)
  expect(granted instanceof Error || granted[0]!.qos >= 128).toBe(true)
  const listener = await connect(url, TEST_PILOT_TOKEN)
  await listener.subscribeAsync('thing/product/RC123/osd')
  const message = nextMessage(listener)
  await client.publishAsync('thing/product/RC123/osd', 'hello', { qos: 1 })
  expect(String((await message)[1])).toBe('hello')
})

test('a stranger who announces a huge packet is cut off', async () => {
  const { port } = new URL(await startBroker())
  const socket = connectSocket(Number(port), '127.0.0.1')
  const closed = socketClosed(socket)
  // CONNECT with a remaining length of 256 MB, then bytes that never end it.
  socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]))
  const fill = setInterval(() => socket.write(Buffer.alloc(4096)), 1)
  await closed
  clearInterval(fill)
})

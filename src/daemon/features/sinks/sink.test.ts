import { expect, test, vi } from 'vitest'
import { assetNames, startTestSink } from '../../testing/test-sink.ts'

test('a broker whose client cannot be loaded is down, and nothing else is', async () => {
  const { sink, append } = startTestSink('kafka', () => {
    throw new Error('the client is damaged')
  })
  append(assetNames(0, 3))
  await vi.waitFor(() =>
    expect(sink.describe()).toMatchObject({ isUp: false, lagEvents: 3, lastError: 'the client is damaged' })
  )
  await sink.stop()
})

test('what a broker does not take comes again, and only that', async () => {
  const taken: string[] = []
  let isBroken = true
  const { sink, append } = startTestSink('redis', () => ({
    send: async (events) => {
      if (isBroken) throw new Error('no')
      taken.push(...events.map(({ subject }) => subject))
    },
    close: async () => {}
  }))
  append(assetNames(0, 2))
  await vi.waitFor(() => expect(sink.describe()).toMatchObject({ isUp: false, lastError: 'no' }))
  isBroken = false
  append(assetNames(2, 3))
  await vi.waitFor(() => expect(sink.describe()).toMatchObject({ isUp: true, lagEvents: 0 }), 10_000)
  append(assetNames(3, 4))
  await vi.waitFor(() => expect(taken).toEqual(assetNames(0, 4)))
})

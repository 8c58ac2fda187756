import { expect, it } from 'vitest'
import { UploadProgress, type UploadProgressEvent } from './upload-progress.ts'

function watched() {
  const events: UploadProgressEvent[] = []
  const time = { nowMs: 1000 }
  const subject = { accessKeyId: 'AK', sessionDeviceId: 'rc-1', bucket: 'media', key: 'k' }
  const progress = new UploadProgress(
    subject,
    (event) => void events.push(event),
    () => time.nowMs
  )
  return { events, time, progress }
}

it('reports at most four times a second, and always the start and the end', () => {
  const { events, time, progress } = watched()
  progress.started(1000, null)
  for (let i = 0; i < 100; i++) {
    time.nowMs += 10
    progress.received(10)
  }
  progress.ended('stored')
  expect(events.map((event) => event.state)).toEqual(['started', ...Array(4).fill('receiving'), 'stored'])
  expect(events.map((event) => event.receivedBytes)).toEqual([0, 250, 500, 750, 1000, 1000])
  expect(events[0]).toEqual({
    accessKeyId: 'AK',
    sessionDeviceId: 'rc-1',
    bucket: 'media',
    key: 'k',
    part: null,
    receivedBytes: 0,
    totalBytes: 1000,
    state: 'started'
  })
})

it('of a part tells its number, and no total, because nobody knows that of the object', () => {
  const { events, progress } = watched()
  progress.started(5_000_000, { uploadId: 'U', number: 3 })
  expect(events).toMatchObject([{ part: { uploadId: 'U', number: 3 }, totalBytes: null }])
})

it('ends once, and not before it began', () => {
  const { events, progress } = watched()
  progress.ended('failed', 'NoSuchBucket')
  progress.started(null, null)
  progress.ended('failed', 'BadDigest')
  progress.ended('stored')
  expect(events.map((event) => [event.state, event.errorCode])).toEqual([
    ['started', undefined],
    ['failed', 'BadDigest']
  ])
})

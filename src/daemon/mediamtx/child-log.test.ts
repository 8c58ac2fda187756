import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { recordingLog } from '../testing/recording-log.ts'
import { ChildLog, parseLine } from './child-log.ts'

test.each([
  ['{"timestamp":"2026-11-20T21:04:05Z","level":"INF","message":"MediaMTX v1.20.1"}', 'INF', 'MediaMTX v1.20.1'],
  [
    '{"timestamp":"2026-11-20T21:04:05Z","level":"ERR","message":"bad \\x1b[31m\\"x\\" \\u00e9\\a\\\\"}',
    'ERR',
    'bad \x1b[31m"x" é\x07\\'
  ],
  ['2026/11/20 21:04:05 WAR [path live/a] late', 'WAR', '[path live/a] late'],
  ['ERR: json: unknown field "foo"', 'ERR', 'json: unknown field "foo"']
])('%s', (line, level, message) => expect(parseLine(line)).toEqual({ level, message }))

test.each(['panic: runtime error: index out of range', 'goroutine 1 [running]:', '{"level":"INF"}', '{}'])(
  'no line of its log: %s',
  (line) => expect(parseLine(line)).toBeNull()
)

async function logged(...messages: [level: string, message: string][]) {
  const { log, lines } = recordingLog()
  log.level = 'debug'
  const childLog = new ChildLog(log)
  const stream = new PassThrough()
  childLog.attach(stream, 'INF')
  for (const [level, message] of messages) stream.write(`${JSON.stringify({ level, message })}\n`)
  stream.end()
  await once(stream, 'close')
  return { childLog, levels: lines.map(({ level }) => level), text: JSON.stringify(lines) }
}

const [DEBUG, WARN, ERROR] = [20, 40, 50]
const CAMERA = '[path live/cam-0a1b2c3d] [RTSP source]'

test('a camera that is away is told once, and remembered until it is back', async () => {
  const away: [string, string] = ['ERR', `${CAMERA} dial rtsp://ann:hunter2@10.0.0.9:554/ch1: i/o timeout`]
  const { childLog, levels, text } = await logged(away, away, ['INF', `${CAMERA} started`])
  expect(levels).toEqual([WARN, DEBUG, DEBUG])
  expect(text).not.toContain('hunter2')
  expect(childLog.lastErrorOf('live/cam-0a1b2c3d')).toBe('dial rtsp://[removed]@10.0.0.9:554/ch1: i/o timeout')
  expect(childLog.lastErrorOf('live/other-0a1b2c3d')).toBeNull()
  const back = await logged(away, ['INF', '[path live/cam-0a1b2c3d] stream is available and online, 1 track (H264)'])
  expect(back.childLog.lastErrorOf('live/cam-0a1b2c3d')).toBeNull()
})

test('a recorder says why it does not record', async () => {
  const skipped: [string, string] = [
    'WAR',
    '[path live/a-0a1b2c3d] [recorder] no supported tracks found, skipping recording'
  ]
  expect((await logged(skipped)).childLog.lastErrorOf('live/a-0a1b2c3d')).toBe(
    'no supported tracks found, skipping recording'
  )
  const { childLog } = await logged(skipped, ['INF', '[path live/a-0a1b2c3d] [recorder] recording 1 track (H264)'])
  expect(childLog.lastErrorOf('live/a-0a1b2c3d')).toBeNull()
})

test('each line has the level that it is worth to us', async () => {
  const { levels, childLog } = await logged(
    ['INF', '[HLS] [session 1] created by 10.0.0.2'],
    ['WAR', '[conf] deprecated'],
    ['ERR', '[API] path not found'],
    ['ERR', 'listen tcp :8554: bind: address already in use'],
    ['ERR', `${CAMERA} i/o timeout`]
  )
  expect(levels).toEqual([DEBUG, WARN, DEBUG, ERROR, WARN])
  expect(childLog.takeLastError()).toBe('listen tcp :8554: bind: address already in use')
  expect(childLog.takeLastError()).toBeNull()
})

import i18next from 'i18next'
import { beforeAll, expect, test } from 'vitest'
import { startI18n } from './i18n/i18n.ts'
import { jobReasonText, jobText } from './job-text.ts'
import { setPreferences } from './preferences.ts'

beforeAll(() => {
  setPreferences({ language: 'en' })
  startI18n()
})

test.each([
  ['interrupted: the program stopped while this ran', /program was stopped/],
  ['took longer than 60000 ms', /too long/],
  ['the object store does not answer: connect ECONNREFUSED 127.0.0.1:9000', /media store did not answer/],
  ['ENOSPC: no space left on device, write', /disk was full/],
  ['spawn /usr/bin/ffmpeg ENOENT', /ffmpeg/],
  ['there are breaks in it, and no ffmpeg was found to join the parts', /ffmpeg/],
  ['nothing that was recorded then can be read', /damaged/],
  ['NoSuchKey: media/w/a.jpg', /stored file is gone/],
  ['Input buffer has corrupt header: VipsJpeg: premature end', /damaged/],
  ['something else', /log has the details/]
])('%s is told in words', (message, words) => {
  expect(jobReasonText(i18next.t, message)).toMatch(words)
})

test('work is told in words, and by its name when there are none', () => {
  expect(jobText(i18next.t, 'renditions.make')).toBe('Making previews')
  expect(jobText(i18next.t, 'newer.thing')).toBe('newer.thing')
})

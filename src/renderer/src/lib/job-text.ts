import type { TFunction } from 'i18next'
import { en } from './i18n/en.ts'

type JobWord = keyof typeof en.jobs.name

/** What a job does in words; a job without words is shown by its name. */
export function jobText(t: TFunction, name: string): string {
  const known = (Object.keys(en.jobs.name) as JobWord[]).find((word) => name.includes(word))
  return known === undefined ? name : t(`jobs.name.${known}`)
}

type JobReason = keyof typeof en.jobs.reason

/** By what is found in a job's error, first match first. */
const reasons: readonly [RegExp, Exclude<JobReason, 'other'>][] = [
  [/^interrupted/i, 'interrupted'],
  [/took longer than/i, 'tooLong'],
  [/ENOSPC|no space left|store_full|disk is full/i, 'diskFull'],
  [/ffmpeg.*(not found|missing|ENOENT)|ENOENT.*ffmpeg|no ffmpeg was found/i, 'ffmpegMissing'],
  [
    /store does not answer|store_unreachable|ECONNREFUSED|ECONNRESET|ETIMEDOUT|fetch failed|socket hang up/i,
    'storeAway'
  ],
  [/NoSuchKey|NotFound|no such (object|file|key)|ENOENT|bytes are gone|bytes_missing/i, 'bytesGone'],
  [/memory|pixel limit|too many pixels/i, 'tooLarge'],
  [/unsupported|unknown format|no decoder/i, 'unsupported'],
  [
    /corrupt|premature|truncat|invalid|moov atom|unexpected end|cannot be read|nothing .* can be read|VipsJpeg/i,
    'unreadable'
  ]
]

/** Why a job gave up, in words; what it said itself is for whoever looks closer. */
export function jobReasonText(t: TFunction, errorMessage: string): string {
  const reason: JobReason = reasons.find(([pattern]) => pattern.test(errorMessage))?.[1] ?? 'other'
  return t(`jobs.reason.${reason}`)
}

import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Instant } from './go-values.ts'
import { type PathConf, textOf } from './path-conf.ts'

/** One file of a recording, with the start its name tells. */
export interface SegmentFile {
  file: string
  startUs: number
}

const placeholders: [token: string, pattern: string][] = [
  ['%path', '(?<path>.*?)'],
  ['%Y', '(?<year>[0-9]{4})'],
  ['%m', '(?<month>[0-9]{2})'],
  ['%d', '(?<day>[0-9]{2})'],
  ['%H', '(?<hour>[0-9]{2})'],
  ['%M', '(?<minute>[0-9]{2})'],
  ['%S', '(?<second>[0-9]{2})'],
  ['%f', '(?<micros>[0-9]{6})'],
  ['%z', '(?<zone>Z|[+-][0-9]{4})'],
  ['%s', '(?<unix>[0-9]{10})']
]

/** The absolute pattern of the files of one path, with its extension. */
function patternOf(conf: PathConf, name: string): string {
  const extension = textOf(conf, 'recordFormat') === 'mpegts' ? '.ts' : '.mp4'
  return resolve(textOf(conf, 'recordPath').replaceAll('%path', name) + extension)
}

/** The folder all files of a pattern are under: what stands before the first placeholder. */
export function commonFolder(pattern: string): string {
  const parts = pattern.split('/')
  const firstWithToken = parts.findIndex((part) => part.includes('%'))
  return parts.slice(0, firstWithToken < 0 ? -1 : firstWithToken).join('/')
}

/** The file a segment of a path is in, by its start; times are written in the offset they were given in. */
export function segmentPath(conf: PathConf, name: string, start: Instant): string {
  const wall = new Date(Math.floor(start.us / 1000) + start.offsetMinutes * 60_000)
  const [, year, month, day, hour, minute, second] = /(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/.exec(wall.toISOString())!
  const offset = Math.abs(start.offsetMinutes)
  const hhmm = String(Math.floor(offset / 60) * 100 + (offset % 60)).padStart(4, '0')
  const values: Record<string, string | undefined> = {
    '%Y': year,
    '%m': month,
    '%d': day,
    '%H': hour,
    '%M': minute,
    '%S': second,
    '%f': String(start.us % 1e6).padStart(6, '0'),
    '%z': offset === 0 ? 'Z' : `${start.offsetMinutes < 0 ? '-' : '+'}${hhmm}`,
    '%s': String(Math.floor(start.us / 1e6))
  }
  return patternOf(conf, name).replace(/%[YmdHMSfzs]/g, (token) => values[token] ?? token)
}

/**
 * The recorded files of a path, oldest first. Like the server it walks the folder each time, and takes any file whose
 * path contains what the pattern asks for. Throws where the folder does not exist, in the words of Linux.
 */
export function listSegments(conf: PathConf, name: string): SegmentFile[] {
  const pattern = patternOf(conf, name)
  const matcher = matcherOf(pattern)
  const found = filesUnder(commonFolder(pattern)).flatMap((file) => {
    const groups = matcher.exec(file)?.groups
    return groups ? [{ file, startUs: startOf(groups) }] : []
  })
  return found.sort((one, other) => one.startUs - other.startUs)
}

/** Like `listSegments`, none where the folder does not exist. */
export function segmentsOrNone(conf: PathConf, name: string): SegmentFile[] {
  try {
    return listSegments(conf, name)
  } catch {
    return []
  }
}

function filesUnder(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error(`lstat ${folder}: no such file or directory`)
    }
    throw error
  }
}

/** Not anchored, as in the server: `x.mp4.old` still counts as `x.mp4`. */
function matcherOf(pattern: string): RegExp {
  const escaped = pattern.replace(/[\\.+*?^$()[\]{}|]/g, '\\$&')
  return new RegExp(placeholders.reduce((text, [token, group]) => text.replaceAll(token, group), escaped))
}

function startOf(groups: Record<string, string | undefined>): number {
  const micros = Number(groups.micros ?? 0)
  if (groups.unix !== undefined) return Number(groups.unix) * 1e6 + micros
  const number = (key: string) => Number(groups[key] ?? 0)
  const wallMs = Date.UTC(
    number('year'),
    number('month') - 1,
    number('day'),
    number('hour'),
    number('minute'),
    number('second')
  )
  const zone = groups.zone ?? 'Z'
  const hhmm = zone === 'Z' ? 0 : Number(zone)
  const offsetMinutes = Math.trunc(hhmm / 100) * 60 + (hhmm % 100)
  return (wallMs - offsetMinutes * 60_000) * 1000 + micros
}

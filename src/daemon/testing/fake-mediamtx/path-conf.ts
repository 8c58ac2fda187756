import { isObject } from './decode.ts'
import type { JsonObject } from './fields.ts'
import { parseDuration } from './go-values.ts'
import { withPrefix } from './refusal.ts'

/** The settings of one path as they are in force: its own over the defaults. */
export type PathConf = JsonObject

export function textOf(conf: JsonObject, key: string): string {
  const value = conf[key]
  if (typeof value !== 'string') throw new Error(`${key} is no text`)
  return value
}

export const textsOf = (conf: JsonObject, key: string): string[] => {
  const value = conf[key]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

export const objectsOf = (conf: JsonObject, key: string): JsonObject[] => {
  const value = conf[key]
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Whether an entry stands for all paths that match it: `all_others`, `~^regexp$`. */
export const isPattern = (name: string) => name === 'all' || name === 'all_others' || name.startsWith('~')

/** Throws with the reason a path cannot be named so. */
export function checkPathName(name: string): void {
  if (name === '') throw new Error('cannot be empty')
  if (name.startsWith('/')) throw new Error("can't begin with a slash")
  if (name.endsWith('/')) throw new Error("can't end with a slash")
  if (!/^[0-9a-zA-Z_\-/.]+$/.test(name)) {
    throw new Error('can contain only alphanumeric characters, underscore, dot, minus, slash')
  }
  if (name.split('/').some((segment) => segment === '.' || segment === '..')) {
    throw new Error("can't contain dot path segments")
  }
}

/** What `source` a pulling path has, by the beginning of its URL, and what the server calls the puller. */
const pullers: [scheme: RegExp, sourceType: string][] = [
  [/^rtsps?(\+http|\+ws)?:\/\//, 'rtspSource'],
  [/^rtmps?:\/\//, 'rtmpSource'],
  [/^https?:\/\//, 'hlsSource'],
  [/^udp(\+mpegts)?:\/\//, 'mpegtsSource'],
  [/^unix\+mpegts:\/\//, 'mpegtsSource'],
  [/^(udp|unix)\+rtp:\/\//, 'rtpSource'],
  [/^srt:\/\//, 'srtSource'],
  [/^moqt:\/\//, 'moqSource'],
  [/^wheps?:\/\//, 'webRTCSource'],
  [/^rpiCamera$/, 'rpiCameraSource']
]

/** What the server calls the puller of a path; null for a path that is published to. */
export const pullerType = (conf: PathConf): string | null =>
  pullers.find(([scheme]) => scheme.test(textOf(conf, 'source')))?.[1] ?? null

/** Checks one path as the server does, in its order: the first fault is the answer. */
export function validatePath(conf: PathConf, isPlaybackOn: boolean): void {
  validateName(textOf(conf, 'name'))
  validateSource(conf)
  validateRecording(conf, isPlaybackOn)
}

function validateName(name: string): void {
  if (isPattern(name)) return
  withPrefix(`invalid path name '${name}'`, () => checkPathName(name))
}

function validateSource(conf: PathConf): void {
  const source = textOf(conf, 'source')
  if (source !== 'redirect' && conf.sourceRedirect !== '') {
    throw new Error("'sourceRedirect' is useless when source is not 'redirect'")
  }
  if (source === 'redirect' && conf.sourceRedirect === '') throw new Error('source redirect must be filled')
  if (source !== 'publisher' && source !== 'redirect') {
    if (pullerType(conf) === null) throw new Error(`invalid source: '${source}'`)
    if (source.includes('://') && !source.startsWith('unix+')) validateUrl(source)
  }
  if (conf.sourceOnDemand) {
    if (source === 'publisher') throw new Error("'sourceOnDemand' is useless when source is 'publisher'")
  } else if (pullerType(conf) !== null && isPattern(textOf(conf, 'name'))) {
    const needed = "must have 'sourceOnDemand' set to true"
    throw new Error(`a path with a regular expression (or path 'all_others') and a static source ${needed}`)
  }
}

function validateUrl(source: string): void {
  const parts = /^[a-z+]+:\/\/(?:([^/?#]*)@)?([^/?#@]*)/.exec(source)
  const host = parts?.[2] ?? ''
  if (!/^(\[[0-9a-fA-F:.%]+\]|[^\s[\]:]+)(:\d*)?$/.test(host)) throw new Error(`'${source}' is not a valid URL`)
  const [user, password] = (parts?.[1] ?? '').split(/:(.*)/)
  if (Boolean(user) !== Boolean(password)) throw new Error('username and password must be both provided')
  if (source.startsWith('udp') && !/:\d+$/.test(host)) throw new Error(`'${source}' is missing the port`)
}

function validateRecording(conf: PathConf, isPlaybackOn: boolean): void {
  const recordPath = textOf(conf, 'recordPath')
  const has = (placeholder: string) => recordPath.includes(placeholder)
  if (!has('%path')) throw new Error("'recordPath' must contain %path")
  if (!has('%s') && !['%Y', '%m', '%d', '%H', '%M', '%S'].every(has)) {
    throw new Error("'recordPath' must contain either %s or %Y %m %d %H %M %S")
  }
  if (isPlaybackOn && !has('%f')) throw new Error("'recordPath' must contain %f")
  const segmentNs = parseDuration(textOf(conf, 'recordSegmentDuration'))
  if (segmentNs > parseDuration('24h')) throw new Error('maximum segment duration is 1 day')
  const deleteAfterNs = parseDuration(textOf(conf, 'recordDeleteAfter'))
  if (deleteAfterNs !== 0 && deleteAfterNs < segmentNs) {
    throw new Error("'recordDeleteAfter' cannot be lower than 'recordSegmentDuration'")
  }
}

/** The settings a change of which leaves publisher and readers alone. */
const hotKeys = new Set([
  'name',
  'forward',
  'record',
  'recordPath',
  'recordFormat',
  'recordPartDuration',
  'recordMaxPartSize',
  'recordSegmentDuration',
  'recordDeleteAfter',
  ...'Brightness Contrast Saturation Sharpness Exposure FlickerPeriod AWB AWBGains Denoise Shutter Metering Gain EV FPS'
    .split(' ')
    .map((key) => `rpiCamera${key}`),
  ...'TextOverlayEnable TextOverlay IDRPeriod Bitrate'.split(' ').map((key) => `rpiCamera${key}`)
])

/** What a new configuration asks of a running path: nothing, another recorder at most, or to begin anew. */
export function effectOfChange(before: PathConf, after: PathConf): 'none' | 'hot' | 'recreate' {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  const changed = [...keys].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
  if (changed.length === 0) return 'none'
  return changed.every((key) => hotKeys.has(key)) ? 'hot' : 'recreate'
}

/** Whether a running recording has to be closed and begun anew. */
export const concernsRecording = (before: PathConf, after: PathConf): boolean =>
  Object.keys(after).some((key) => key.startsWith('record') && before[key] !== after[key])

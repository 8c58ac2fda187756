import type { TFunction } from 'i18next'

/** What a warning is about, by what stands in it; first match first. */
const patterns = [
  ['notAsked', /`authHTTPAddress`/],
  ['cannotAsk', /cannot ask who may/],
  ['noLimits', /`live\.max_gb`/],
  ['recordingsUnplayable', /`(playback|recordPath|recordFormat)`/],
  ['hlsOff', /`hls`/],
  ['openToAll', /`authInternalUsers`/],
  ['version', /is no release|not the version that is tested/]
] as const

/** What the base says in English about its media server, in plain words; null for what there are no words for. */
export function serverWarningText(t: TFunction, warning: string): string | null {
  const known = patterns.find(([, pattern]) => pattern.test(warning))?.[0]
  return known === undefined ? null : t(`live.serverWarning.${known}`)
}

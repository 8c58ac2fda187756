import type { MediaType } from './sniff-media.ts'

/** Containers that browsers open; QuickTime is MP4 to them. */
const CONTAINERS = new Set(['video/mp4', 'video/quicktime', 'video/webm'])
/** Codecs that every browser decodes. HEVC depends on the machine, and its decoders on the profile. */
const CODECS = new Set(['h264', 'vp8', 'vp9', 'av1'])

/** Whether browsers in general cannot play a film; `codec` as `probeVideo` names it, null when it is not known. */
export function needsProxy(mimeType: MediaType['mimeType'], codec: string | null): boolean {
  return !CONTAINERS.has(mimeType) || (codec !== null && !CODECS.has(codec))
}

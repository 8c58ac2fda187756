import { randomUUID } from 'node:crypto'
import type { JsonObject } from './fields.ts'

export interface Track {
  codec: string
  codecProps: JsonObject | null
}

/** Who sends to or reads from a path. */
export interface Peer {
  /** As the server names it: `rtmpConn`, `rtspSession`, `hlsSession`. */
  type: string
  id: string
  user: string
  query: string
  remoteAddress: string
  createdUs: number
}

export const pictureAndSound: Track[] = [
  { codec: 'H264', codecProps: { width: 1920, height: 1080, profile: 'High', level: '4' } },
  { codec: 'MPEG-4 Audio', codecProps: { sampleRate: 48000, channelCount: 2 } }
]

/** A new peer, with an id of its own. */
export function newPeer(type: string, createdUs: number, about: Partial<Peer> = {}): Peer {
  return { type, id: randomUUID(), user: '', query: '', remoteAddress: '127.0.0.1:50000', createdUs, ...about }
}

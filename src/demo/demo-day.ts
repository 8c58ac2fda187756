import { createToken, getStatus } from '../shared/api/system.ts'
import type { ReadyInfo } from '../shared/ready.ts'
import { openAdmin } from './admin-access.ts'
import { type CatalogueCounts, inspectCatalogue, waitUntilIdle } from './catalogue-check.ts'
import { type DemoCards, isPhoto, isVideo } from './demo-cards.ts'
import type { CardFile } from './photo-card.ts'
import { type ControllerEvent, type ControllerOptions, type Mishap, PilotController } from './pilot-controller.ts'

/** Everything counted about one day; `files` is how often a file was offered: uploaded, skipped or failed. */
export type DaySummary = { files: number; uploaded: number; skipped: number } & CatalogueCounts & { seconds: number }

export type DayPlan = {
  cards: DemoCards
  /** Counts the day must end with; `seconds` is not among them. */
  expected: Omit<DaySummary, 'seconds'>
}

export type DayOptions = {
  ready: ReadyInfo
  plan: DayPlan
  /** The workspace of both controllers; always the same one unless given. */
  workspaceId?: string
  /** Rate of each controller's radio link; as fast as possible when left out. */
  bytesPerSecond?: number
  /** Called with each new scene, in words. */
  onScene?: (text: string) => void
  onEvent?: (controller: string, event: ControllerEvent) => void
}

const WORKSPACE = '6f1d5c52-3a0e-4f5b-9c11-2d7c64b0a8e1'
const CONTROLLERS = {
  alpha: {
    deviceId: 'RC-PLUS-ALPHA',
    droneSerial: '1581F000001DEMO',
    droneModelKey: '0-99-0',
    payloadModelKey: '1-88-0'
  },
  bravo: {
    deviceId: 'RC-PRO-BRAVO',
    droneSerial: '1581F000002DEMO',
    droneModelKey: '0-77-0',
    payloadModelKey: '1-66-0'
  }
} as const

/** The last photo of Bravo's card: its upload fails, and the controller says so. */
const failing = (cards: DemoCards) => cards.bravo.findLast((file) => !isVideo(file)) as CardFile
/** The file of Bravo's card whose upload is cut off and resumed: the video when there is one. */
const interrupted = (cards: DemoCards) => (cards.bravo.find(isVideo) ?? cards.bravo[0]) as CardFile

/** Works out from the cards alone what a correct server must end up with. Both cards need two photos at least. */
export async function planDay(cards: DemoCards, server: { ffmpeg: boolean }): Promise<DayPlan> {
  if (cards.alpha.filter(isPhoto).length < 2) throw new Error('the demo needs a card with at least two photos')
  const kept = filesKept(cards)
  const distinct = new Set(kept.map((file) => file.fingerprint)).size
  return {
    cards,
    expected: {
      files: 2 * cards.alpha.length + cards.bravo.length,
      uploaded: kept.length,
      skipped: cards.alpha.length,
      assets: kept.length,
      blobs: distinct,
      thumbnails: kept.filter((file) => isPhoto(file) || server.ffmpeg).length,
      videos: kept.filter(isVideo).length,
      failures: 1
    }
  }
}

/** The files that must be in the catalogue at the end of the day. */
export function filesKept(cards: DemoCards): CardFile[] {
  return [...cards.alpha, ...cards.bravo.filter((file) => file !== failing(cards))]
}

/** Whether this daemon can make pictures of videos, which the plan depends on. */
export async function hasFfmpeg(ready: ReadyInfo): Promise<boolean> {
  return (await openAdmin(ready.admin).api.call(getStatus, {})).ffmpeg.found
}

/**
 * Plays the day against a running daemon with an empty catalogue: two controllers upload cards with the same names at
 * the same time, one upload is cut off, one fails and is reported; then the first card is offered again and the cut
 * upload goes on. Waits for the daemon's jobs and gives what was counted and every difference to the plan, in words.
 */
export async function playDay(options: DayOptions): Promise<{ summary: DaySummary; problems: string[] }> {
  const { ready, plan, onScene = () => {} } = options
  const { cards, expected } = plan
  const startedAt = performance.now()
  const admin = openAdmin(ready.admin)
  const alpha = await pair('alpha', options)
  const bravo = await pair('bravo', options)
  try {
    onScene('Two controllers upload their cards; both cards use the same file names.')
    const mission = (groupId: string, path: string, files: CardFile[]) => ({ groupId, path, fileCount: files.length })
    const south = mission('51c8a2f4-94d0-4a7e-a8c6-1f3e5d7b9a22', 'Survey south', cards.bravo)
    const cut = interrupted(cards)
    const mishaps = new Map<CardFile, Mishap>([
      [cut, { cutAfterBytes: Math.floor(cut.sizeBytes * 0.6) }],
      [failing(cards), 'give-up']
    ])
    const [first, second] = await Promise.all([
      alpha.offer(cards.alpha, {
        mission: mission('0b8a1b0e-6f57-4c39-8d3b-61f0c3a95d10', 'Survey north', cards.alpha)
      }),
      bravo.offer(cards.bravo, { mission: south, mishaps })
    ])
    onScene('The first card is put in again: everything is known, nothing is sent.')
    const again = await alpha.offer(cards.alpha)
    onScene(`${cut.name} of the second controller was cut off; it goes on where it stopped.`)
    const resumed = await bravo.offer(second.cut, { mission: south })
    onScene('All cards are in. The base finishes its own work.')
    await waitUntilIdle(admin)
    const { counts, problems } = await inspectCatalogue(admin, filesKept(cards))

    const results = [first, second, again, resumed]
    const total = (name: 'uploaded' | 'skipped' | 'failed') => results.reduce((sum, each) => sum + each[name].length, 0)
    const played = { uploaded: total('uploaded'), skipped: total('skipped') }
    const summary = {
      files: played.uploaded + played.skipped + total('failed'),
      ...played,
      ...counts,
      seconds: Math.round(performance.now() - startedAt) / 1000
    }
    for (const [name, value] of Object.entries(expected)) {
      const found = summary[name as keyof DaySummary]
      if (found !== value) problems.push(`${name}: expected ${value}, found ${found}`)
    }
    return { summary, problems }
  } finally {
    alpha.close()
    bravo.close()
  }
}

/**
 * Has a controller of another workspace upload files that the base holds already, as Pilot does there: it asks for its own workspace
 * only. Waits for the daemon's jobs and gives how many files were sent.
 */
export async function sendAgain(files: readonly CardFile[], options: Omit<DayOptions, 'plan'>): Promise<number> {
  const controller = await pair('bravo', options)
  try {
    const { uploaded } = await controller.offer(files)
    await waitUntilIdle(openAdmin(options.ready.admin))
    return uploaded.length
  } finally {
    controller.close()
  }
}

/** A controller with a token of its own. The two use different SDKs, so that both framings are on the air. */
async function pair(name: keyof typeof CONTROLLERS, options: Omit<DayOptions, 'plan'>): Promise<PilotController> {
  const { ready, bytesPerSecond, onEvent, workspaceId = WORKSPACE } = options
  const identity = CONTROLLERS[name]
  const { secret } = await openAdmin(ready.admin).api.call(createToken, {
    body: { name: identity.deviceId, role: 'controller' }
  })
  const controller: ControllerOptions = {
    ...identity,
    fieldUrl: ready.field.url,
    token: secret,
    workspaceId,
    photoType: 'original',
    framing: name === 'alpha' ? 'signed-chunks' : 'checksum-trailer',
    ...(bytesPerSecond ? { bytesPerSecond } : {}),
    onEvent: (event) => onEvent?.(name, event)
  }
  return new PilotController(controller)
}

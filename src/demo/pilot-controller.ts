import { ObjectUploader, StoreRefusal, UploadCut, type UploaderOptions } from './object-upload.ts'
import type { CardFile } from './photo-card.ts'
import { createPilotApi, type Mission, type PilotIdentity, PilotRefusal, type StorageGrant } from './pilot-api.ts'

export type ControllerOptions = PilotIdentity &
  Partial<UploaderOptions> & {
    onEvent?: (event: ControllerEvent) => void
  }

/** What happens at the controller, in order. `sent` repeats; `stored` is the object store's 200. */
export type ControllerEvent = { file: CardFile } & (
  | { type: 'started' }
  | { type: 'sent'; sentBytes: number }
  | { type: 'stored'; objectKey: string }
  | { type: 'uploaded'; objectKey: string }
  | { type: 'skipped' }
  | { type: 'cut' }
  | { type: 'failed'; reason: string }
)

/** How a file's upload is to go wrong: the link breaks after so many bytes, or the app gives up and reports it. */
export type Mishap = { cutAfterBytes: number } | 'give-up'

export type OfferOptions = {
  mission?: Mission
  mishaps?: ReadonlyMap<CardFile, Mishap>
}

/** What became of the files that were offered; each is in exactly one list. */
export type OfferResult = Record<'uploaded' | 'skipped' | 'cut' | 'failed', CardFile[]>

const MIB = 1024 * 1024
/** A controller asks about this many files before it starts to upload them. */
const BATCH_FILES = 200

/** The controller does not try this file any longer. */
class GivenUp extends Error {}

/** Plays DJI Pilot 2's media module on a remote controller against a real server. */
export class PilotController {
  readonly #api: ReturnType<typeof createPilotApi>
  readonly #uploader: ObjectUploader
  readonly #emit: (event: ControllerEvent) => void
  /** Of each mission, the files that are with the server: one that is cut off and goes on later belongs to it still. */
  readonly #delivered = new Map<string, Set<CardFile>>()
  #grant: { value: StorageGrant; expiresAtMs: number } | undefined

  constructor(options: ControllerOptions) {
    const { framing = 'signed-chunks', multipartFromBytes = 8 * MIB, partBytes = 5 * MIB, bytesPerSecond } = options
    this.#api = createPilotApi(options)
    this.#uploader = new ObjectUploader({
      framing,
      multipartFromBytes,
      partBytes,
      ...(bytesPerSecond ? { bytesPerSecond } : {})
    })
    this.#emit = options.onEvent ?? (() => {})
  }

  /**
   * Offers files to the server and uploads those it does not have. Offering a file again whose upload was cut goes on
   * with it. A file that cannot be uploaded is told in the result and by an event; `PilotRefusal` with status 401 ends
   * the whole offer, as it ends Pilot's session.
   */
  async offer(files: readonly CardFile[], options: OfferOptions = {}): Promise<OfferResult> {
    const { mission } = options
    const result: OfferResult = { uploaded: [], skipped: [], cut: [], failed: [] }
    for (let first = 0; first < files.length; first += BATCH_FILES) {
      const batch = files.slice(first, first + BATCH_FILES)
      for (const file of await this.#missing(batch, mission, result)) {
        result[await this.#upload(file, options)].push(file)
        if (mission) await this.#attempt(() => this.#reportMission(mission, result))
      }
    }
    if (mission) await this.#attempt(() => this.#reportMission(mission, result))
    return result
  }

  close(): void {
    this.#uploader.close()
  }

  /** The files the server has neither by full nor by tiny fingerprint. */
  async #missing(batch: CardFile[], mission: Mission | undefined, result: OfferResult): Promise<CardFile[]> {
    const unknown: CardFile[] = []
    for (const file of batch) {
      const known = await this.#attempt(() => this.#api.isKnown(file, mission?.path))
      if (known.error) this.#fail(file, known.error, result)
      else if (known.value) this.#skip(file, result)
      else unknown.push(file)
    }
    if (unknown.length === 0) return []
    const tiny = await this.#attempt(() => this.#api.knownTinyFingerprints(unknown.map((file) => file.tinyFingerprint)))
    if (tiny.error) {
      for (const file of unknown) this.#fail(file, tiny.error, result)
      return []
    }
    const missing: CardFile[] = []
    for (const file of unknown) {
      if (tiny.value.has(file.tinyFingerprint)) this.#skip(file, result)
      else missing.push(file)
    }
    return missing
  }

  async #upload(file: CardFile, { mission, mishaps }: OfferOptions): Promise<keyof OfferResult> {
    const mishap = mishaps?.get(file)
    this.#emit({ type: 'started', file })
    let objectKey = ''
    try {
      const grant = await this.#currentGrant()
      objectKey = `${grant.object_key_prefix.replace(/\/+$/, '')}/${file.name}`
      if (mishap === 'give-up') throw new GivenUp('the controller gave up on it')
      await this.#uploader.upload({
        grant,
        key: objectKey,
        file,
        cutAfterBytes: mishap?.cutAfterBytes,
        onSent: (sentBytes) => this.#emit({ type: 'sent', file, sentBytes })
      })
      this.#emit({ type: 'stored', file, objectKey })
      await this.#api.reportUpload(file, objectKey, 0, mission)
      this.#emit({ type: 'uploaded', file, objectKey })
      return 'uploaded'
    } catch (error) {
      if (isLogout(error)) throw error
      if (error instanceof UploadCut) {
        this.#emit({ type: 'cut', file })
        return 'cut'
      }
      if (error instanceof StoreRefusal || error instanceof GivenUp)
        await this.#attempt(() => this.#api.reportUpload(file, objectKey, 1, mission))
      this.#emit({ type: 'failed', file, reason: describeError(error) })
      return 'failed'
    }
  }

  async #currentGrant(): Promise<StorageGrant> {
    if (!this.#grant || Date.now() >= this.#grant.expiresAtMs) {
      const value = await this.#api.requestGrant()
      this.#grant = { value, expiresAtMs: Date.now() + value.credentials.expire * 1000 }
    }
    return this.#grant.value
  }

  async #reportMission(mission: Mission, result: OfferResult): Promise<void> {
    const delivered = this.#delivered.get(mission.groupId) ?? new Set()
    this.#delivered.set(mission.groupId, delivered)
    for (const file of [...result.uploaded, ...result.skipped]) delivered.add(file)
    await this.#api.reportMission(mission, delivered.size)
  }

  /** Runs a call whose failure concerns this file only, unless the server ended the session. */
  async #attempt<T>(call: () => Promise<T>): Promise<{ value: T; error?: never } | { error: Error; value?: never }> {
    try {
      return { value: await call() }
    } catch (error) {
      if (isLogout(error) || !(error instanceof Error)) throw error
      return { error }
    }
  }

  #skip(file: CardFile, result: OfferResult): void {
    result.skipped.push(file)
    this.#emit({ type: 'skipped', file })
  }

  #fail(file: CardFile, error: Error, result: OfferResult): void {
    result.failed.push(file)
    this.#emit({ type: 'failed', file, reason: describeError(error) })
  }
}

const isLogout = (error: unknown) => error instanceof PilotRefusal && error.status === 401

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

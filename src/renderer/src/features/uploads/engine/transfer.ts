import { listAssets } from '../../../../../shared/api/assets.ts'
import { beginUpload, completeUpload, getUpload } from '../../../../../shared/api/uploads.ts'
import { type ApiClient, ApiError } from '../../../../../shared/api-client.ts'
import { ConnectionLost, type Patience } from './patience.ts'
import type { Places } from './places.ts'

/** The holder of what people upload on the screen, so that the collector leaves it alone. */
export const SCREEN_NAMESPACE = 'screen'

/** Thrown when the file cannot be read any more: moved, changed, or its card was taken out. */
export class FileUnreadable extends Error {
  override readonly name = 'FileUnreadable'
}

/** Sends one part and reports how many of its bytes are gone. Throws `ApiError`, and `ConnectionLost` when no answer came. */
export type SendPart = (part: {
  uploadId: string
  number: number
  bytes: Blob
  onProgress: (sentBytes: number) => void
  signal: AbortSignal
}) => Promise<void>

/** The SHA-256 (hex) of a file. Throws when the file cannot be read. */
export type Digest = (
  file: Blob,
  options: { onProgress: (checkedBytes: number) => void; signal: AbortSignal }
) => Promise<string>

/** A file on its way. What is learnt goes into it, so that a later attempt goes on from there. */
export interface Transfer {
  readonly id: string
  readonly name: string
  sha256: string | null
  session: TransferSession | null
}

export interface TransferSession {
  readonly uploadId: string
  readonly partSizeBytes: number
  readonly partCount: number
  /** Parts that the base has. */
  received: Set<number>
  /** Whether `received` is the base's own word, not what was remembered. */
  isCurrent: boolean
}

export interface TransferDeps {
  api: ApiClient
  sendPart: SendPart
  digest: Digest
  patience: Patience
  checking: Places
  sending: Places
}

/** What the owner of a transfer hears. */
export interface TransferListener {
  onStep(step: 'checking' | 'sending' | 'finishing'): void
  onChecked(checkedBytes: number): void
  /** So many bytes of a part are gone; 0 when they have to be sent again. */
  onPartSent(number: number, sentBytes: number): void
  /** Digest, session or the list of received parts is another. */
  onLearnt(): void
}

export interface TransferResult {
  assetId: string
  isDuplicate: boolean
}

/** How many parts of one file are sent at once. */
const partsAtOnce = 3

/** The code of a refusal; null for another error. */
export function refusalCode(error: unknown): string | null {
  return error instanceof ApiError ? (error.problem?.code ?? null) : null
}

/** One attempt at a transfer. */
interface Run {
  readonly transfer: Transfer
  readonly file: Blob
  readonly deps: TransferDeps
  readonly listener: TransferListener
  readonly signal: AbortSignal
}

/**
 * Brings a file into the base: finds out whether it is there already, sends the parts that are missing, and makes an asset of
 * them. Waits through outages. Throws `ApiError`, `FileUnreadable`, and the signal's reason.
 */
export async function transferFile(
  transfer: Transfer,
  file: Blob,
  deps: TransferDeps,
  listener: TransferListener,
  signal: AbortSignal
): Promise<TransferResult> {
  for (let isSecond = false; ; isSecond = true) {
    try {
      return await attempt({ transfer, file, deps, listener, signal })
    } catch (error) {
      const code = refusalCode(error)
      if (code === 'digest_mismatch') transfer.sha256 = null
      if (code === 'digest_mismatch' || code === 'upload_not_found') {
        transfer.session = null
        listener.onLearnt()
      }
      // Its time was over, or somebody ended it there.
      if (isSecond || code !== 'upload_not_found') throw error
    }
  }
}

async function attempt(run: Run): Promise<TransferResult> {
  const { transfer, deps, listener, signal } = run
  transfer.sha256 ??= await check(run)
  listener.onStep('sending')
  const known = transfer.session ?? (await begin(run, transfer.sha256))
  if ('assetId' in known) return known
  const session = known
  for (;;) {
    if (!session.isCurrent) await readReceived(run, session)
    listener.onLearnt()
    await sendMissing(run, session)
    listener.onStep('finishing')
    const params = { uploadId: session.uploadId }
    try {
      const { asset, isDuplicate } = await deps.patience.run(signal, () =>
        deps.api.call(completeUpload, { params }, signal)
      )
      return { assetId: asset.id, isDuplicate }
    } catch (error) {
      if (refusalCode(error) !== 'upload_incomplete') throw error
      await readReceived(run, session)
      // Nothing to send, and yet not all of it there.
      if (session.received.size === session.partCount) throw error
      listener.onStep('sending')
    }
  }
}

function check({ transfer, file, deps, listener, signal }: Run): Promise<string> {
  return deps.checking.run(transfer.id, signal, async () => {
    listener.onStep('checking')
    try {
      return await deps.digest(file, { onProgress: listener.onChecked, signal })
    } catch (error) {
      signal.throwIfAborted()
      throw new FileUnreadable('the file could not be read', { cause: error })
    }
  })
}

/** The asset that has these bytes, whoever brought it; otherwise begins to send them. */
async function begin({ transfer, file, deps, signal }: Run, sha256: string): Promise<TransferSession | TransferResult> {
  const { api, patience } = deps
  const query = { sha256, limit: 1 }
  const [known] = (await patience.run(signal, () => api.call(listAssets, { query }, signal))).items
  if (known) return { assetId: known.id, isDuplicate: true }
  const body = { name: transfer.name, sizeBytes: file.size, sha256, namespace: SCREEN_NAMESPACE }
  const begun = await patience.run(signal, () => api.call(beginUpload, { body }, signal))
  if (begun.isStored) return { assetId: begun.asset.id, isDuplicate: true }
  transfer.session = { ...begun, received: new Set(), isCurrent: true }
  return transfer.session
}

async function readReceived({ deps, signal }: Run, session: TransferSession): Promise<void> {
  const params = { uploadId: session.uploadId }
  const { state, parts } = await deps.patience.run(signal, () => deps.api.call(getUpload, { params }, signal))
  const all = Array.from({ length: session.partCount }, (_, index) => index + 1)
  session.received = new Set(state === 'done' ? all : parts?.received.map(({ number }) => number))
  session.isCurrent = true
}

async function sendMissing(run: Run, session: TransferSession): Promise<void> {
  const missing: number[] = []
  for (let number = 1; number <= session.partCount; number += 1) if (!session.received.has(number)) missing.push(number)
  const stop = new AbortController()
  const signal = AbortSignal.any([run.signal, stop.signal])
  const lane = async () => {
    try {
      for (let number = missing.shift(); number !== undefined; number = missing.shift())
        await sendMissingPart({ ...run, signal }, session, number)
    } catch (error) {
      stop.abort(error)
    }
  }
  await Promise.all(Array.from({ length: Math.min(partsAtOnce, missing.length) }, lane))
  signal.throwIfAborted()
}

async function sendMissingPart(
  { transfer, file, deps, listener, signal }: Run,
  { uploadId, partSizeBytes, received }: TransferSession,
  number: number
): Promise<void> {
  const bytes = file.slice((number - 1) * partSizeBytes, number * partSizeBytes)
  const onProgress = (sentBytes: number) => listener.onPartSent(number, sentBytes)
  await deps.sending.run(transfer.id, signal, () =>
    deps.patience.run(signal, async () => {
      try {
        await deps.sendPart({ uploadId, number, bytes, onProgress, signal })
      } catch (error) {
        onProgress(0)
        // A browser tells both in the same way.
        if (error instanceof ConnectionLost) await assertReadable(bytes)
        throw error
      }
    })
  )
  received.add(number)
  listener.onPartSent(number, bytes.size)
  listener.onLearnt()
}

async function assertReadable(bytes: Blob): Promise<void> {
  try {
    await bytes.slice(0, 1).arrayBuffer()
  } catch (error) {
    throw new FileUnreadable('the file could not be read', { cause: error })
  }
}

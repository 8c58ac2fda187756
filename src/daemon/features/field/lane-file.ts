import type { z } from 'zod'
import type { laneFileSchema } from '../../../shared/api/field.ts'
import { isoFromMs } from '../../clock.ts'
import type { ControllerFileRecord } from './field.repository.ts'

type LaneFileView = z.infer<typeof laneFileSchema>

/** An upload that is coming in. */
export interface RunningTransfer {
  name: string
  /** Null for an object in one piece. */
  uploadId: string | null
  /** Of each part, as far as it is here; an object in one piece is part 0. */
  parts: Map<number, number>
  /** Of all parts together. */
  receivedBytes: number
  totalBytes: number | null
  updatedAtMs: number
}

/** Whether the file is in the base, sent now or before. */
export function isHere(file: ControllerFileRecord): boolean {
  return file.state === 'uploaded' || file.state === 'skipped'
}

/** Whether the file is in the base and something is wrong with its bytes there. */
export function isDamaged(file: ControllerFileRecord): boolean {
  return isHere(file) && file.damage !== null
}

/** A file as the board shows it. */
export function fileView(file: ControllerFileRecord): LaneFileView {
  return {
    name: file.name,
    state: file.state,
    sizeBytes: file.sizeBytes,
    receivedBytes: file.state === 'uploaded' ? (file.sizeBytes ?? 0) : 0,
    assetId: file.assetId,
    error: file.error,
    damage: file.damage,
    updatedAt: isoFromMs(file.updatedAtMs)
  }
}

/** A file on its way as the board shows it. */
export function transferView(transfer: RunningTransfer): LaneFileView {
  return {
    name: transfer.name,
    state: 'uploading',
    sizeBytes: transfer.totalBytes,
    receivedBytes: transfer.receivedBytes,
    assetId: null,
    error: null,
    damage: null,
    updatedAt: isoFromMs(transfer.updatedAtMs)
  }
}

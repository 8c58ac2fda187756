import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { storedDamage } from './assets.ts'
import { idSchema, instantSchema, pageOf, pageQuery } from './common.ts'
import { storeModes, storeTroubles } from './system.ts'

/** How it stands with the check of all stored bytes; `waiting`: it rests while files arrive, or on battery. */
export const scrubStates = ['idle', 'running', 'waiting'] as const

export const scrubSchema = z
  .object({
    state: z.enum(scrubStates),
    /** When every file had been read and compared once more; null: never yet. */
    finishedAt: instantSchema.nullable(),
    /** How much there is to read in the round under way, and how much of it is done; 0 without one. */
    roundBytes: z.number(),
    checkedBytes: z.number()
  })
  .meta({ id: 'Scrub' })
export type Scrub = z.infer<typeof scrubSchema>

/** Somebody was refused something by the embedded store, once or often. */
export const refusedActionSchema = z
  .object({
    /** The controller, where it was one; else the user of the store that the key belongs to. */
    who: z.string(),
    isController: z.boolean(),
    /** As S3 calls it: `PutObject`. */
    operation: z.string(),
    /** Bucket and key of the last time. */
    resource: z.string(),
    remoteAddress: z.string(),
    count: z.int(),
    lastAt: instantSchema
  })
  .meta({ id: 'RefusedAction' })
export type RefusedAction = z.infer<typeof refusedActionSchema>

export const storageSchema = z
  .object({
    mode: z.enum(storeModes),
    /** The folder, or the address, of the store. */
    place: z.string(),
    bucket: z.string(),
    /** Why nothing can be stored; null: it can. */
    trouble: z.enum(storeTroubles).nullable(),
    /** What the store or the network said about that. */
    reported: z.string().nullable(),
    /** Why an external store gives controllers no temporary credentials, so that they cannot upload; null: it does, or need not. */
    credentialsRefused: z.string().nullable(),
    /** How long a small file took to be written, read and deleted; null when that failed. */
    latencyMs: z.number().nullable(),
    /** The clock of the store minus ours. */
    clockDifferenceMs: z.number().nullable(),
    /** Null: the store does not tell. `availableBytes` leaves out what is kept free for the base itself. */
    disk: z.object({ totalBytes: z.number(), freeBytes: z.number(), availableBytes: z.number() }).nullable(),
    /** What all assets come to, also those in the bin; each counts with its size, even where equal bytes are kept once. */
    assetTotal: z.int(),
    assetBytes: z.number(),
    /** What lies in the store; null: it does not tell. */
    usage: z
      .object({
        objects: z.int(),
        storedBytes: z.number(),
        unfinishedUploads: z.int(),
        unfinishedBytes: z.number(),
        /** Of these, without anything new for a day. */
        idleUploads: z.int()
      })
      .nullable(),
    /** How many more flights fit, each like those of today or, without any, like the latest; null: nobody can say. */
    room: z.object({ flights: z.int(), flightBytes: z.number(), like: z.enum(['today', 'latest']) }).nullable(),
    /** Null: the store looks after its files itself. */
    scrub: scrubSchema.nullable(),
    /** What tells which file is which, and when it was copied last. Null: the store looks after that itself. */
    index: z.object({ problem: z.string().nullable(), copiedAt: instantSchema.nullable() }).nullable(),
    /** Assets whose bytes are damaged or gone. */
    damagedAssets: z.int(),
    /** Damaged objects that are no asset's: previews and the like, which can be made again. At most 1000 are counted. */
    damagedOthers: z.int(),
    /** Stores that hold assets and are not connected now; `place` null: where it was is not known any more. */
    notConnected: z.array(
      z.object({
        place: z.string().nullable(),
        bucket: z.string().nullable(),
        assetTotal: z.int(),
        assetBytes: z.number()
      })
    ),
    refused: z.array(refusedActionSchema)
  })
  .meta({ id: 'Storage' })
export type Storage = z.infer<typeof storageSchema>

export const getStorage = defineEndpoint({
  name: 'getStorage',
  method: 'GET',
  path: '/api/v1/storage',
  tag: 'Operations',
  summary: 'How it stands with the store: what it keeps, how much fits, whether every file was checked, what is wrong',
  role: 'viewer',
  response: storageSchema,
  errors: []
})

export const damagedAssetSchema = z
  .object({
    id: idSchema,
    workspaceId: z.string(),
    name: z.string(),
    sizeBytes: z.int(),
    takenAt: instantSchema,
    damage: z.enum(storedDamage),
    flightName: z.string().nullable(),
    deviceName: z.string().nullable(),
    /** `send_again`: from the controller that had it, which is asked for it; `upload_again`: by whoever uploaded it. */
    remedy: z.enum(['send_again', 'upload_again'])
  })
  .meta({ id: 'DamagedAsset' })
export type DamagedAsset = z.infer<typeof damagedAssetSchema>

export const listDamagedAssets = defineEndpoint({
  name: 'listDamagedAssets',
  method: 'GET',
  path: '/api/v1/storage/damaged',
  tag: 'Operations',
  summary:
    'Assets outside the bin whose bytes are damaged or gone, the oldest pictures first, with what brings them back',
  role: 'viewer',
  query: z.object(pageQuery),
  response: pageOf(damagedAssetSchema),
  errors: ['invalid_request']
})

export const startScrub = defineEndpoint({
  name: 'startScrub',
  method: 'POST',
  path: '/api/v1/storage/scrub',
  tag: 'Operations',
  summary: 'Begin to read every stored file and compare it with what was stored; goes on by itself',
  role: 'operator',
  response: scrubSchema,
  errors: ['scrub_not_available']
})

export const storageContract = [getStorage, listDamagedAssets, startScrub]

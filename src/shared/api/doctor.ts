import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { instantSchema } from './common.ts'

/** `off`: there is nothing to look at here. Worst first. */
export const checkStates = ['problem', 'warning', 'ok', 'off'] as const
export type CheckState = (typeof checkStates)[number]

/** What each check may find, with the state that goes with it. Its words stand in `shared/doctor-texts.ts`. */
export const findings = {
  data_folder: { fine: 'ok', others_may_look: 'warning', not_writable: 'problem', missing: 'problem' },
  data_room: { fine: 'ok', scarce: 'warning', full: 'problem' },
  recordings_room: { fine: 'ok', scarce: 'warning', full: 'problem', away: 'problem', off: 'off' },
  database: {
    answers: 'ok',
    sound: 'ok',
    older: 'ok',
    newer: 'problem',
    long_log: 'warning',
    damaged: 'problem',
    off: 'off'
  },
  store: {
    embedded: 'ok',
    external: 'ok',
    gateway: 'ok',
    minio: 'warning',
    full: 'problem',
    read_only: 'problem',
    unplugged: 'problem',
    unreachable: 'problem',
    refused: 'problem',
    no_bucket: 'problem',
    other_store: 'problem',
    clock_differs: 'warning',
    files_unknown: 'warning',
    files_unchecked: 'warning',
    place_doubtful: 'warning',
    index_damaged: 'problem',
    clock_refused: 'problem',
    broken: 'problem',
    off: 'off'
  },
  listeners: {
    open: 'ok',
    free: 'ok',
    in_use: 'ok',
    link_off: 'warning',
    less_taken: 'warning',
    taken: 'problem',
    unseen: 'off'
  },
  network: { one: 'ok', several: 'ok', named: 'ok', this_computer: 'warning', none: 'problem' },
  clock: { fine: 'ok', too_early: 'problem', went_back: 'problem' },
  ffmpeg: { fine: 'ok', missing: 'warning', broken: 'warning' },
  thumbnails: { fine: 'ok', broken: 'problem' },
  // Those of its problems are called as it calls them itself.
  media_server: {
    ready: 'ok',
    external: 'ok',
    found: 'ok',
    off: 'off',
    starting: 'warning',
    often_again: 'warning',
    remarks: 'warning',
    mediamtx_missing: 'warning',
    mediamtx_unusable: 'problem',
    mediamtx_too_old: 'problem',
    port_taken: 'warning',
    recordings_folder_unusable: 'problem',
    server_ended: 'problem',
    server_silent: 'problem',
    server_refuses: 'problem',
    server_unreachable: 'problem'
  },
  jobs: { fine: 'ok', gave_up: 'warning', stuck: 'warning' }
} as const satisfies Record<string, Record<string, CheckState>>

/** Of a check that did not come to its end. */
export const endings = { no_answer: 'problem', failed: 'problem' } as const satisfies Record<string, CheckState>

export type CheckId = keyof typeof findings
export const checkIds = Object.keys(findings) as [CheckId, ...CheckId[]]
export type FindingCode<Id extends CheckId> = keyof (typeof findings)[Id] & string

export const checkSchema = z
  .object({
    id: z.enum(checkIds),
    state: z.enum(checkStates),
    /** Names what was found, for programs. */
    code: z.string(),
    /** What there is to say about it; the unit is in the name. `reported` is what a system or a program said, in its words. */
    facts: z.record(z.string(), z.union([z.string(), z.number()])),
    /** Commands, paths, settings and addresses that help, to be copied. */
    copy: z.array(z.string())
  })
  .meta({ id: 'DoctorCheck' })
export type Check = z.infer<typeof checkSchema>

export const getDoctor = defineEndpoint({
  name: 'getDoctor',
  method: 'GET',
  path: '/api/v1/doctor',
  tag: 'System',
  summary: 'Looks at everything the base stands on, and says of each what it found; takes some seconds at most',
  role: 'viewer',
  response: z.object({ checkedAt: instantSchema, checks: z.array(checkSchema) }),
  errors: []
})

export const doctorContract = [getDoctor]

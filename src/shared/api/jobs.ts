import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { idSchema, instantSchema, pageOf, pageQuery } from './common.ts'

/** A finished job leaves no row; `dead` ones wait for a person. */
export const jobStates = ['queued', 'running', 'dead', 'cancelled'] as const

export const jobSchema = z
  .object({
    id: idSchema,
    name: z.string(),
    state: z.enum(jobStates),
    assetId: z.string().nullable(),
    attempt: z.int(),
    maxAttempts: z.int(),
    /** 0 to 1, null while unknown. */
    progress: z.number().nullable(),
    runAt: instantSchema,
    errorMessage: z.string().nullable(),
    createdAt: instantSchema
  })
  .meta({ id: 'Job' })
export type Job = z.infer<typeof jobSchema>

/** How many jobs are in each state. */
export type JobCounts = Record<(typeof jobStates)[number], number>

const jobParams = z.object({ jobId: idSchema })

export const listJobs = defineEndpoint({
  name: 'listJobs',
  method: 'GET',
  path: '/api/v1/jobs',
  tag: 'Jobs',
  summary: 'Jobs that wait, run, were cancelled or gave up',
  role: 'viewer',
  forScopedTokens: true,
  query: z.object({ ...pageQuery, state: z.enum(jobStates).optional() }),
  response: pageOf(jobSchema.extend({ assetName: z.string().nullable() })).extend({
    counts: z.record(z.enum(jobStates), z.int()),
    /** The same for each kind of work that there is. */
    kinds: z.array(z.object({ name: z.string(), counts: z.record(z.enum(jobStates), z.int()) }))
  }),
  errors: ['invalid_request']
})

export const getJob = defineEndpoint({
  name: 'getJob',
  method: 'GET',
  path: '/api/v1/jobs/{jobId}',
  tag: 'Jobs',
  summary: 'One job; `job_not_found` when it is done',
  role: 'viewer',
  forScopedTokens: true,
  params: jobParams,
  response: jobSchema,
  errors: ['job_not_found']
})

export const retryJob = defineEndpoint({
  name: 'retryJob',
  method: 'POST',
  path: '/api/v1/jobs/{jobId}/retry',
  tag: 'Jobs',
  summary: 'Queue a dead or cancelled job again',
  role: 'operator',
  forScopedTokens: true,
  params: jobParams,
  response: jobSchema,
  errors: ['job_not_found', 'job_not_retryable']
})

export const retryJobs = defineEndpoint({
  name: 'retryJobs',
  method: 'POST',
  path: '/api/v1/jobs/retry',
  tag: 'Jobs',
  summary: 'Queue every dead job again, or those of one kind; at most 1,000, so repeat while `isMore`',
  role: 'operator',
  body: z.strictObject({ name: z.string().max(128).optional() }),
  response: z.object({ retriedCount: z.int(), isMore: z.boolean() }),
  errors: ['invalid_request']
})

export const cancelJob = defineEndpoint({
  name: 'cancelJob',
  method: 'POST',
  path: '/api/v1/jobs/{jobId}/cancel',
  tag: 'Jobs',
  summary: 'Cancel a job: a running one is asked to stop, a dead one is set aside',
  role: 'operator',
  forScopedTokens: true,
  params: jobParams,
  response: jobSchema,
  errors: ['job_not_found', 'job_not_retryable']
})

export const jobsContract = [listJobs, getJob, retryJob, retryJobs, cancelJob]

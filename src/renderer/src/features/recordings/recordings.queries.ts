import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query'
import { getJob } from '../../../../shared/api/jobs.ts'
import {
  listClips,
  listRecordedSources,
  listRecordingDays,
  listRecordingFiles,
  listRecordingSessions,
  playRecording,
  type RecordedSource,
  type RecordingSegment
} from '../../../../shared/api/recordings.ts'
import { ApiError, endpointUrl, refusalOf } from '../../../../shared/api-client.ts'
import type { ProblemCode } from '../../../../shared/problem.ts'
import { api } from '../../lib/api.ts'
import { instantOf, type Stretch } from './timeline-view.ts'

/** A recording begins and grows without an event. */
const openIntervalMs = 5000
const workIntervalMs = 1000
const filesPageSize = 500
const clipsPageSize = 20
/** An element that plays does not tell why it does not; a short film is enough to find out. */
const probedSeconds = 1

/** Something that is recorded now may belong to it. */
const isNow = ({ startMs, endMs }: Stretch) => startMs <= Date.now() && Date.now() < endMs
const windowOf = ({ startMs, endMs }: Stretch) => ({ from: instantOf(startMs), to: instantOf(endMs) })

/** What was recorded of streams that were removed since, by name. */
export const removedSourcesQuery = queryOptions({
  queryKey: [listRecordedSources.name],
  queryFn: async ({ signal }) => {
    const found: RecordedSource[] = []
    let cursor: string | undefined
    for (;;) {
      const page = await api.call(listRecordedSources, { query: { limit: filesPageSize, cursor } }, signal)
      found.push(...page.items.filter((source) => source.is_removed))
      if (page.nextCursor === null) return found
      cursor = page.nextCursor
    }
  }
})

/** The days that something of a stream was recorded on, newest first, about a month at a time. */
export function recordingDaysQuery(sourceId: string) {
  return infiniteQueryOptions({
    queryKey: [listRecordingDays.name, sourceId],
    queryFn: ({ pageParam, signal }) =>
      api.call(listRecordingDays, { params: { sourceId }, query: { to: pageParam ?? undefined } }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ earlier }) => earlier,
    refetchInterval: openIntervalMs
  })
}

/** What can be played of a stream in a stretch of time. */
export function recordingSessionsQuery(sourceId: string, stretch: Stretch) {
  return queryOptions({
    queryKey: [listRecordingSessions.name, sourceId, stretch],
    queryFn: async ({ signal }) => {
      const input = { params: { sourceId }, query: windowOf(stretch) }
      return (await api.call(listRecordingSessions, input, signal)).items
    },
    refetchInterval: ({ state }) =>
      isNow(stretch) || state.data?.some(({ is_open }) => is_open) ? openIntervalMs : false
  })
}

/** All files of a stretch of time, oldest first. */
export function recordingFilesQuery(sourceId: string, stretch: Stretch) {
  return queryOptions({
    queryKey: [listRecordingFiles.name, sourceId, stretch],
    queryFn: async ({ signal }) => {
      const files: RecordingSegment[] = []
      let cursor: string | undefined
      for (;;) {
        const query = { ...windowOf(stretch), limit: filesPageSize, cursor }
        const page = await api.call(listRecordingFiles, { params: { sourceId }, query }, signal)
        files.push(...page.items)
        if (page.nextCursor === null) return files
        cursor = page.nextCursor
      }
    },
    refetchInterval: ({ state }) =>
      isNow(stretch) || state.data?.some((file) => file.state === 'open') ? openIntervalMs : false
  })
}

/** Why a recording is not given: what the base refuses it with, or that it does not answer. */
export type PlaybackRefusal = ProblemCode | 'outage'

/** Whether a refusal is over by itself some time, without anything to be done here. */
export function passesByItself(refusal: PlaybackRefusal): boolean {
  return refusal === 'outage' || refusal === 'live_unavailable' || refusal === 'recording_away'
}

/** Why nothing is given to play from a time on; null when a film is. Asked again and again while that may change by itself. */
export function playbackRefusalQuery(sourceId: string, atMs: number) {
  const query = { start: instantOf(atMs), duration: probedSeconds }
  return queryOptions({
    queryKey: [playRecording.name, sourceId, atMs],
    queryFn: async ({ signal }): Promise<PlaybackRefusal | null> => {
      const init = { credentials: 'same-origin', signal } as const
      const answer = await fetch(endpointUrl(playRecording.path, { params: { sourceId }, query }), init).catch(
        () => null
      )
      if (answer === null) return 'outage'
      if (!answer.ok) return (await refusalOf(answer)).problem?.code ?? 'outage'
      await answer.body?.cancel()
      return null
    },
    gcTime: 0,
    refetchInterval: ({ state: { data } }) => (data && passesByItself(data) ? openIntervalMs : false)
  })
}

/** Clips and pictures of a stream, newest first; asked for often while one is being made. */
export function clipsQuery(sourceId: string) {
  return infiniteQueryOptions({
    queryKey: [listClips.name, sourceId],
    queryFn: ({ pageParam, signal }) =>
      api.call(
        listClips,
        { params: { sourceId }, query: { limit: clipsPageSize, cursor: pageParam ?? undefined } },
        signal
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some((clip) => clip.state === 'waiting')) ? workIntervalMs : false
  })
}

/** A job as long as there is one: null when it is done. */
export function jobQuery(jobId: string) {
  return queryOptions({
    queryKey: [getJob.name, jobId],
    queryFn: ({ signal }) =>
      api.call(getJob, { params: { jobId } }, signal).catch((error: unknown) => {
        if (error instanceof ApiError && error.problem?.code === 'job_not_found') return null
        throw error
      }),
    staleTime: 0,
    refetchInterval: ({ state: { data } }) =>
      data === undefined || data?.state === 'queued' || data?.state === 'running' ? workIntervalMs : false
  })
}

/** Reads again what was recorded, of one stream or of all; resolves when that has been read. */
export async function invalidateRecordings(client: QueryClient, sourceId?: string): Promise<void> {
  await Promise.all(
    [listRecordedSources, listRecordingDays, listRecordingSessions, listRecordingFiles, listClips].map(({ name }) =>
      client.invalidateQueries({ queryKey: sourceId === undefined ? [name] : [name, sourceId] })
    )
  )
}

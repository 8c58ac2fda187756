import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query'
import { listJobs } from '../../../../shared/api/jobs.ts'
import {
  listClips,
  listRecordingDays,
  listRecordingFiles,
  listRecordingSessions,
  type RecordingSegment
} from '../../../../shared/api/recordings.ts'
import { api } from '../../lib/api.ts'
import type { Stretch } from './timeline-view.ts'

/** A recording begins and grows without an event. */
const openIntervalMs = 5000
const workIntervalMs = 1000
const filesPageSize = 500
const clipsPageSize = 20

const instant = (timeMs: number) => new Date(timeMs).toISOString()
/** Something that is recorded now may belong to it. */
const isNow = ({ startMs, endMs }: Stretch) => startMs <= Date.now() && Date.now() < endMs
const windowOf = ({ startMs, endMs }: Stretch) => ({ from: instant(startMs), to: instant(endMs) })

/** The days that something of a stream was recorded on, newest first. */
export function recordingDaysQuery(sourceId: string) {
  return queryOptions({
    queryKey: [listRecordingDays.name, sourceId],
    queryFn: async ({ signal }) => (await api.call(listRecordingDays, { params: { sourceId } }, signal)).items,
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

/** A job as long as there is one: null when it is done. The newest come first, so that one that was just queued is found. */
export function jobQuery(jobId: string) {
  return queryOptions({
    queryKey: [listJobs.name, 'one', jobId],
    queryFn: async ({ signal }) => {
      const { items } = await api.call(listJobs, { query: { limit: filesPageSize } }, signal)
      return items.find(({ id }) => id === jobId) ?? null
    },
    staleTime: 0,
    refetchInterval: ({ state: { data } }) =>
      data === undefined || data?.state === 'queued' || data?.state === 'running' ? workIntervalMs : false
  })
}

/** Reads again what was recorded, of one stream or of all. */
export function invalidateRecordings(client: QueryClient, sourceId?: string): void {
  for (const { name } of [listRecordingDays, listRecordingSessions, listRecordingFiles, listClips])
    void client.invalidateQueries({ queryKey: sourceId === undefined ? [name] : [name, sourceId] })
}

import type { QueryClient } from '@tanstack/react-query'
import type { EventType } from '../../../../shared/api/events.ts'
import type { Lane } from '../../../../shared/api/field.ts'
import { createBatch } from '../../lib/batch.ts'
import type { LiveHandler } from '../../lib/live-updates.ts'
import { fieldQuery } from './field.queries.ts'

const boardEvents: ReadonlySet<EventType> = new Set(['flight.updated', 'upload.failed'])

const staleBoards = createBatch<QueryClient>(300, (clients) => {
  for (const client of clients) invalidateField(client)
})

/** Reads the tether board again. */
export function invalidateField(client: QueryClient): void {
  void client.invalidateQueries({ queryKey: fieldQuery.queryKey })
}

/** Puts the newest state of one lane on the board; a lane keeps its place, a new one goes last. */
export function withLane(lanes: readonly Lane[], lane: Lane): Lane[] {
  const known = lanes.some((other) => other.id === lane.id)
  return known ? lanes.map((other) => (other.id === lane.id ? lane : other)) : [...lanes, lane]
}

export const fieldLive: LiveHandler = {
  onStored(client, event) {
    if (boardEvents.has(event.type)) staleBoards.add(client)
  },
  onLive(client, message) {
    if (message.type === 'jobs') return
    client.setQueryData(fieldQuery.queryKey, (board) => {
      if (board === undefined) return board
      if (message.type === 'lane') return { ...board, lanes: withLane(board.lanes, message.lane) }
      return { ...board, refusedSignIns: message.refusedSignIns }
    })
  },
  onReopen: invalidateField
}

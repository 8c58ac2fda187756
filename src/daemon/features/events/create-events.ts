import type { Response } from 'express'
import { type LiveMessage, type StoredEvent, streamEvents } from '../../../shared/api/events.ts'
import type { Clock } from '../../clock.ts'
import type { LiveFeed } from '../../events/live-feed.ts'
import type { Outbox } from '../../events/outbox.ts'
import type { Feature } from '../../feature.ts'
import type { WorkspaceScope } from '../../workspace-scope.ts'

const HEARTBEAT_MS = 15_000
const BATCH = 100

export interface EventsFeature extends Feature {
  /** Ends the streams opened with one token (or session), or all. */
  endStreams(tokenId?: string): void
}

export interface EventsDeps {
  outbox: Outbox
  liveFeed: LiveFeed
  clock: Clock
  /** Whether an event may be told to somebody who may see these workspaces. */
  isInScope: (scope: WorkspaceScope, event: StoredEvent) => boolean
  /** Who reads nothing from one beat to the next is cut off, and resumes from the last event. */
  heartbeatMs?: number
}

/** Tells screens and applications what happens, as server-sent events (WHATWG HTML §9.2). */
export function createEvents(deps: EventsDeps): EventsFeature {
  const { outbox, liveFeed } = deps
  const open = new Map<Response, string | null>()
  return {
    endStreams(tokenId) {
      for (const [response, usedTokenId] of open) if (tokenId === undefined || usedTokenId === tokenId) response.end()
    },
    bind(binder) {
      binder.bindStream(streamEvents, ({ query }, { request, response, caller }) => {
        response.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no'
        })
        const asked = query.lastEventId ?? lastEventIdHeader(request.headers['last-event-id'])
        let position = asked ?? outbox.range().last
        let hasRead = true

        const isWanted = (event: StoredEvent): boolean =>
          (query.types === undefined || query.types.includes(event.type)) && deps.isInScope(caller.workspaceIds, event)
        // Between its end and its close a stream must not be written to any more.
        const isBusy = (): boolean => response.writableNeedDrain || response.writableEnded || response.destroyed
        const send = (text: string): void => {
          if (!response.writableEnded) response.write(text)
        }
        /** True when the listener has to begin anew, because what comes next for it is not kept. */
        const resetIfBehind = (): boolean => {
          const { first, last } = outbox.range()
          if (position <= last && position >= first - 1) return false
          position = last
          send(`id: ${position}\nevent: reset\ndata: {}\n\n`)
          return true
        }
        let isGoingOn = false
        /** Tells facts as fast as they are read: the outbox waits, not our memory. Others have their turn between batches. */
        const catchUp = (): void => {
          if (isGoingOn || isBusy()) return
          resetIfBehind()
          const events = outbox.readAfter(position, BATCH)
          for (const event of events)
            if (isWanted(event)) send(`id: ${event.seq}\nevent: stored\ndata: ${JSON.stringify(event)}\n\n`)
          position = events.at(-1)?.seq ?? position
          isGoingOn = events.length === BATCH
          if (isGoingOn)
            setImmediate(() => {
              isGoingOn = false
              catchUp()
            })
        }
        /** Moments are for now or never. */
        const tellMoment = (message: LiveMessage): void => {
          if (!isBusy()) send(`event: live\ndata: ${JSON.stringify(message)}\n\n`)
        }
        const beat = (): void => {
          if (caller.expiresAtMs !== null && caller.expiresAtMs <= deps.clock.nowMs()) response.end()
          if (!hasRead && response.writableNeedDrain) response.destroy()
          hasRead = false
          // With its position, so that a reconnect does not look again through what was not for this listener.
          if (!isBusy()) send(`id: ${position}\n: still here\n\n`)
        }

        // The id tells a fresh listener where it stands, so that its next reconnect misses nothing.
        if (!resetIfBehind()) send(`id: ${position}\nevent: hello\ndata: {}\n\n`)
        catchUp()

        open.set(response, caller.tokenId)
        const endings = [outbox.onAppend(catchUp)]
        // Moments are of controllers and of the whole queue, not of a workspace.
        if (caller.workspaceIds === 'all' && query.types === undefined) endings.push(liveFeed.subscribe(tellMoment))
        const heartbeat = setInterval(beat, deps.heartbeatMs ?? HEARTBEAT_MS)
        response.on('drain', () => {
          hasRead = true
          catchUp()
        })
        response.on('close', () => {
          clearInterval(heartbeat)
          for (const end of endings) end()
          open.delete(response)
        })
      })
    }
  }
}

function lastEventIdHeader(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

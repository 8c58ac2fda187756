import type { Response } from 'express'
import { type StoredEvent, streamEvents } from '../../../shared/api/events.ts'
import type { LiveFeed } from '../../events/live-feed.ts'
import type { Outbox } from '../../events/outbox.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import type { WorkspaceScope } from '../../workspace-scope.ts'

const HEARTBEAT_MS = 15_000
const BATCH = 500
/** A listener that reads slower than this piles up is cut off; it resumes from its last event. */
const MAX_BUFFERED_BYTES = 1_048_576

export interface OpenStreams {
  /** Ends the streams opened with one token (or session), or all. */
  end(tokenId?: string): void
}

export interface EventsDeps {
  outbox: Outbox
  liveFeed: LiveFeed
  /** Whether an event may be told to somebody who may see these workspaces. */
  isInScope: (scope: WorkspaceScope, event: StoredEvent) => boolean
}

/** Binds the server-sent event stream (WHATWG HTML §9.2). */
export function bindEvents(binder: EndpointBinder, deps: EventsDeps): OpenStreams {
  const open = new Map<Response, string | null>()
  binder.bindStream(streamEvents, ({ query }, { request, response, caller }) => {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no'
    })
    const { first, last } = deps.outbox.range()
    const asked = query.lastEventId ?? lastEventIdHeader(request.headers['last-event-id'])
    const missedSome = asked !== undefined && (asked > last || asked < first - 1)
    let position = asked === undefined || missedSome ? last : asked

    const send = (text: string): void => {
      // Between its end and its close a stream must not be written to any more.
      if (response.writableEnded) return
      response.write(text)
      if (response.writableLength > MAX_BUFFERED_BYTES) response.destroy()
    }
    const catchUp = (): void => {
      for (;;) {
        const events = deps.outbox.readAfter(position, BATCH)
        if (events.length === 0 || response.destroyed) return
        for (const event of events)
          if (deps.isInScope(caller.workspaceIds, event))
            send(`id: ${event.seq}\nevent: stored\ndata: ${JSON.stringify(event)}\n\n`)
        position = events.at(-1)!.seq
      }
    }
    // The id tells a fresh listener where it stands, so that its next reconnect misses nothing.
    send(missedSome ? `id: ${position}\nevent: reset\ndata: {}\n\n` : `id: ${position}\nevent: hello\ndata: {}\n\n`)
    catchUp()

    open.set(response, caller.tokenId)
    const endings = [
      deps.outbox.onAppend(catchUp),
      // Moments are of controllers and of the whole queue, not of a workspace.
      ...(caller.workspaceIds === 'all'
        ? [deps.liveFeed.subscribe((message) => send(`event: live\ndata: ${JSON.stringify(message)}\n\n`))]
        : [])
    ]
    const heartbeat = setInterval(() => send(': still here\n\n'), HEARTBEAT_MS)
    response.on('close', () => {
      clearInterval(heartbeat)
      for (const end of endings) end()
      open.delete(response)
    })
  })
  return {
    end(tokenId) {
      for (const [response, usedTokenId] of open) if (tokenId === undefined || usedTokenId === tokenId) response.end()
    }
  }
}

function lastEventIdHeader(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

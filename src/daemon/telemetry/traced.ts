import { type Context, context, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import { messageOf } from '../errors.ts'
import type { ObjectStore } from '../object-store/object-store.ts'

/** Runs `work` in a span below `parent`; without a tracer, only runs it. */
export function inSpan<T>(tracer: Tracer | null, name: string, parent: Context, work: () => Promise<T>): Promise<T> {
  if (!tracer) return work()
  return tracer.startActiveSpan(name, {}, parent, async (span) => {
    try {
      return await work()
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) })
      throw error
    } finally {
      span.end()
    }
  })
}

/** The store, with a span for every call of it below the request or job that makes it. */
export function tracedStore(store: ObjectStore, tracer: Tracer | null): ObjectStore {
  if (!tracer) return store
  const traced = <Target extends object>(target: Target, prefix: string): Target =>
    new Proxy(target, {
      get(_, name) {
        const member: unknown = Reflect.get(target, name)
        if (name === 'parts') return traced(member as object, 'store.parts.')
        if (typeof member !== 'function') return member
        return (...given: unknown[]) =>
          inSpan(tracer, prefix + String(name), context.active(), async () => member.apply(target, given))
      }
    })
  return traced(store, 'store.')
}

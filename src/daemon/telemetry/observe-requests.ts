import { context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import type { RequestHandler, Response } from 'express'
import type { Telemetry } from './telemetry.ts'

const UPLOADS_END_WITH = new Set(['uploadMedia', 'completeUpload', 'pilot.upload-callback'])
const getter = {
  keys: (carrier: Record<string, unknown>) => Object.keys(carrier),
  get: (carrier: Record<string, unknown>, key: string) => carrier[key] as string | string[] | undefined
}

/** Says which operation answers this request, for numbers and traces. */
export function nameOperation(response: Response, operation: string): void {
  response.locals['operation'] = operation
  ;(response.locals['span'] as Span | undefined)?.updateName(operation)
}

/**
 * Counts and times every request of a listener, by operation; what is no operation of ours counts as `other`, because anybody can make
 * up addresses. With a collector each is a span, below that of the caller who sends a `traceparent` (W3C Trace Context).
 */
export function observeRequests(telemetry: Telemetry, listener: 'admin' | 'field'): RequestHandler {
  const { meter, tracer } = telemetry
  const duration = meter.createHistogram('http_server_request_duration_seconds', {
    unit: 's',
    description: 'How long requests take, to the last byte of the answer'
  })
  const uploads = meter.createHistogram('media_upload_duration_seconds', {
    unit: 's',
    description: 'How long the request takes that ends an upload'
  })
  const propagator = new W3CTraceContextPropagator()
  return (request, response, next) => {
    const startedMs = performance.now()
    const caller = tracer && propagator.extract(ROOT_CONTEXT, request.headers, getter)
    const span = tracer?.startSpan('other', { kind: SpanKind.SERVER, attributes: { listener } }, caller ?? ROOT_CONTEXT)
    response.locals['span'] = span
    response.once('close', () => {
      const operation = (response.locals['operation'] as string | undefined) ?? 'other'
      const seconds = (performance.now() - startedMs) / 1000
      const status = response.writableFinished ? response.statusCode : 499
      duration.record(seconds, { listener, operation, method: request.method, status })
      if (UPLOADS_END_WITH.has(operation) && status < 300) uploads.record(seconds, { operation })
      span?.setAttributes({ 'http.request.method': request.method, 'http.response.status_code': status })
      if (status >= 500) span?.setStatus({ code: SpanStatusCode.ERROR })
      span?.end()
    })
    if (span) context.with(trace.setSpan(ROOT_CONTEXT, span), next)
    else next()
  }
}

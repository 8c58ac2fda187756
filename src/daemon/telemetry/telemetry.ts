import { context, type Meter, type Tracer } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, type MetricReader } from '@opentelemetry/sdk-metrics'

export interface TelemetryOptions {
  version: string
  /** Base URL of an OpenTelemetry collector (OTLP over HTTP); null: nothing leaves this machine. */
  otlpEndpoint: string | null
}

/** What the program tells about itself: numbers, always; and who waited for what, where a collector is configured. */
export interface Telemetry {
  meter: Meter
  /** Null without a collector. */
  tracer: Tracer | null
  /** Every number as Prometheus reads it (text format 0.0.4). */
  scrape(): Promise<string>
  /** Sends what is left. */
  close(): Promise<void>
}

const NAME = 'flightcase'
/** A collector that is away must not hold up the end. */
const CLOSE_MS = 2000

/** Begins to count. Nothing is sent, and nothing loaded for sending, unless a collector is named. */
export async function openTelemetry({ version, otlpEndpoint }: TelemetryOptions): Promise<Telemetry> {
  const resource = resourceFromAttributes({ 'service.name': NAME, 'service.version': version })
  const prometheus = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true })
  const otlp = otlpEndpoint === null ? null : await openOtlp(otlpEndpoint, resource)
  const readers: MetricReader[] = otlp ? [prometheus, otlp.reader] : [prometheus]
  const meters = new MeterProvider({ resource, readers })
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true)
  return {
    meter: meters.getMeter(NAME, version),
    tracer: otlp?.tracers.getTracer(NAME, version) ?? null,
    async scrape() {
      const { resourceMetrics } = await prometheus.collect()
      return serializer.serialize(resourceMetrics)
    },
    async close() {
      const sent = Promise.allSettled([meters.shutdown({ timeoutMillis: CLOSE_MS }), otlp?.tracers.shutdown()])
      let timer: NodeJS.Timeout | undefined
      await Promise.race([sent, new Promise((resolve) => (timer = setTimeout(resolve, CLOSE_MS)))])
      clearTimeout(timer)
    }
  }
}

async function openOtlp(endpoint: string, resource: Resource) {
  const [metrics, traces, sdkTrace, sdkMetrics] = await Promise.all([
    import('@opentelemetry/exporter-metrics-otlp-http'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/sdk-metrics')
  ])
  // One for the process: the spans of several daemons in it are told apart by who made them.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const exporter = new traces.OTLPTraceExporter({ url: `${endpoint}/v1/traces` })
  return {
    reader: new sdkMetrics.PeriodicExportingMetricReader({
      exporter: new metrics.OTLPMetricExporter({ url: `${endpoint}/v1/metrics` })
    }),
    tracers: new sdkTrace.TracerProvider({
      resource,
      spanProcessors: [new sdkTrace.BatchSpanProcessor({ exporter })]
    })
  }
}

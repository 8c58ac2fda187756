import { onTestFinished } from 'vitest'
import { EndpointHarness, REGION } from '../embedded-store/endpoint/endpoint-harness.ts'
import { TcpGate } from './tcp-gate.ts'

/** An S3 server that a daemon with these settings uses, and the gate to it; closed with the test. */
export async function openDistantStore(): Promise<{
  store: EndpointHarness
  gate: TcpGate
  env: Record<string, string>
}> {
  const store = await EndpointHarness.open()
  onTestFinished(() => store.dispose())
  const gate = await TcpGate.open(store.port)
  onTestFinished(() => gate.close())
  return { store, gate, env: storeSettings(store, gate) }
}

/** Settings for a daemon that reaches a store through a gate. */
export function storeSettings({ admin }: EndpointHarness, gate: TcpGate): Record<string, string> {
  return {
    FLIGHTCASE_OBJECT_STORE: 'external',
    FLIGHTCASE_S3_ENDPOINT: `http://127.0.0.1:${gate.port}`,
    FLIGHTCASE_S3_ACCESS_KEY: admin.accessKeyId,
    FLIGHTCASE_S3_SECRET_KEY: admin.secretAccessKey,
    FLIGHTCASE_S3_REGION: REGION
  }
}

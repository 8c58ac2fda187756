import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

export interface ReceivedCall {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface TestReceiver {
  url: string
  /** What came, oldest first. */
  calls: ReceivedCall[]
  /** Answers the next calls; at first 204 for each. */
  answer: (call: ReceivedCall, response: ServerResponse) => void
}

/** An HTTP server of somebody else on loopback. Ends with the test. */
export async function startTestReceiver(): Promise<TestReceiver> {
  const calls: ReceivedCall[] = []
  const receiver: TestReceiver = { url: '', calls, answer: (_, response) => void response.writeHead(204).end() }
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const call = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
    calls.push(call)
    receiver.answer(call, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return receiver
}

/** Answers with a status, and headers where given. */
export const answering =
  (status: number, headers: Record<string, string> = {}, body = ''): TestReceiver['answer'] =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)

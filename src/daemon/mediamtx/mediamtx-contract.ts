import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe } from 'vitest'
import { z } from 'zod'
import { configCases } from './contract/config-cases.ts'
import { authorization, ContractDriver, type StartTarget } from './contract/driver.ts'
import { recordingCases } from './contract/recording-cases.ts'
import { type AuthCall, serverCases, viewerCases } from './contract/viewer-cases.ts'

/**
 * What this daemon relies on in MediaMTX v1.20, case by case; to be called once per kind of server. The numbers are the
 * same for all kinds; what only the adapter or the sources do (C65 to C69) is tested with those.
 */
export function mediaMtxContract(start: StartTarget): void {
  describe('with users of its own', () => {
    const contract = new ContractDriver()
    contract.use(() => start(ownUsers, authorization))
    configCases(contract)
    recordingCases(contract)
    serverCases(contract)
  })

  describe('with users it asks about', () => {
    const calls: AuthCall[] = []
    const callback = createServer((request, response) => {
      void json(request).then((body) => {
        calls.push(authCallSchema.parse(body))
        response.end()
      })
    })
    beforeAll(async () => {
      await once(callback.listen(0, '127.0.0.1'), 'listening')
    })
    afterAll(() => void callback.close())
    const contract = new ContractDriver()
    contract.use(() => start({ authMethod: 'http', authHTTPAddress: `${addressOf(callback)}/auth` }, authorization))
    viewerCases(contract, calls)
  })
}

const ownUsers = {
  authInternalUsers: [
    { user: 'any', permissions: ['publish', 'read', 'playback'].map((action) => ({ action })) },
    { user: 'contract', pass: 'secret', permissions: [{ action: 'api' }] }
  ]
}

const authCallSchema = z.object({ action: z.string(), path: z.string(), protocol: z.string(), query: z.string() })

function addressOf(server: ReturnType<typeof createServer>): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return `http://127.0.0.1:${address.port}`
}

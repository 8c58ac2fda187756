import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { getStatus, type Role, roles } from '../../../shared/api/system.ts'
import { systemClock } from '../../clock.ts'
import { createEndpointBinder } from '../../http/bind-endpoint.ts'
import { Idempotency } from '../../http/idempotency.ts'
import { createRateLimits } from '../../http/rate-limits.ts'
import { ObjectKeys } from '../../object-keys.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { openEmbeddedStore } from '../../testing/test-stores.ts'
import { bindSystem } from './system.routes.ts'
import { StoreMonitor } from './system.service.ts'

test('the command that makes a token is told to administrators only', async () => {
  const router = express()
  const binder = createEndpointBinder({
    router,
    authenticate: (request) => ({
      actorId: 'test',
      name: 'test',
      role: request.get('x-role') as Role,
      workspaceIds: 'all',
      tokenId: null,
      expiresAtMs: null,
      viaCookie: false
    }),
    assertInScope: () => undefined,
    idempotency: new Idempotency({ db: testDatabase(), clock: systemClock }),
    limits: createRateLimits({ requestsPerMinute: 0, mediaPerMinute: 0 }),
    checkResponses: true
  })
  bindSystem(binder, {
    version: '1.0.0',
    clock: systemClock,
    storeMonitor: new StoreMonitor(await openEmbeddedStore(), new ObjectKeys(), 'embedded'),
    ffmpegPath: null,
    retention: { graceMs: 0, warnMs: 0, binMs: 0, orphanPolicy: 'bin', archiveMs: 0 },
    controllersCanPair: () => false,
    tokenCommand: 'flightcase token create',
    addresses: () => ({ fieldUrls: [], s3Urls: [] })
  })
  const server = router.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${getStatus.path}`
  const told: Record<string, unknown> = {}
  for (const role of roles) {
    const answer = await fetch(url, { headers: { 'x-role': role } })
    told[role] = getStatus.response.parse(await answer.json()).tokenCommand
  }
  expect(told).toEqual({ viewer: null, operator: null, admin: 'flightcase token create' })
})

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Sqlite from 'better-sqlite3'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { recordingLog } from '../testing/recording-log.ts'
import { errorHandler } from './error-handler.ts'

test('a catalogue without room for a row is told as a full disk, and logged', async () => {
  const { lines, log } = recordingLog()
  const sql = new Sqlite(':memory:')
  onTestFinished(() => void sql.close())
  sql.exec('CREATE TABLE note (text TEXT); PRAGMA max_page_count = 2')
  const app = express()
  app.post('/', () => void sql.prepare('INSERT INTO note VALUES (zeroblob(100000))').run())
  app.use(errorHandler(log))
  const server = createServer(app).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { method: 'POST' })
  expect(answer.status).toBe(507)
  expect(await answer.json()).toMatchObject({ code: 'disk_full', status: 507 })
  expect(lines).toMatchObject([{ level: 50, code: 'disk_full', err: { code: 'SQLITE_FULL' } }])
})

import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { deleteAsset, restoreAsset } from '../../../shared/api/assets.ts'
import { type AuditRecord, exportAudit, listAudit } from '../../../shared/api/audit.ts'
import { collectGarbage } from '../../../shared/api/lifecycle.ts'
import { createReferences, deleteReferences } from '../../../shared/api/references.ts'
import { createToken, revokeToken } from '../../../shared/api/system.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import { createWebhook, deleteWebhook, rotateWebhookSecret, updateWebhook } from '../../../shared/api/webhooks.ts'
import { setWorkspaceQuota } from '../../../shared/api/workspaces.ts'
import { actingBySystem } from '../../audit/acting.ts'
import { AuditLog, lineOf } from '../../audit/audit-log.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { plansOf, temporaryFolder, testDatabase } from '../../testing/test-database.ts'
import { AuditRepository } from './audit.repository.ts'
import { AuditService } from './audit.service.ts'
import { NotedHead } from './noted-head.ts'

async function upload(base: TestDaemon, bytes: string): Promise<string> {
  const body = new FormData()
  body.append('file', new Blob([bytes]), 'a.bin')
  body.append('workspaceId', 'crew')
  const answer = await base.fetch(uploadMedia.path, { method: 'POST', body })
  return uploadMedia.response.parse(await answer.json()).asset.id
}

/** The records but the first, which tells that a fixed token for controllers was set. */
async function recordsOf(base: TestDaemon): Promise<AuditRecord[]> {
  const { items } = await base.api.call(listAudit, { query: {} })
  expect(items.at(-1)).toMatchObject({ seq: 1, action: 'token.replaced', subject: 'configured:controller' })
  return items.slice(0, -1)
}

const linesOf = async (base: TestDaemon) => (await (await base.fetch(exportAudit.path)).text()).split('\n').slice(0, -1)

describe('the daemon writes down', () => {
  test('who deleted, restored and purged an asset, and all that is left of it', async () => {
    const base = await startTestDaemon()
    const assetId = await upload(base, 'bytes')
    const remove = (permanent: 'true' | 'false') =>
      base.api.call(deleteAsset, { params: { assetId }, query: { permanent } })
    await remove('false')
    await base.api.call(restoreAsset, { params: { assetId } })
    await remove('false')
    await remove('true')
    const { items } = await base.api.call(listAudit, { query: { subject: assetId } })
    expect(items.map(({ action }) => action)).toEqual([
      'asset.purged',
      'asset.binned',
      'asset.restored',
      'asset.binned'
    ])
    expect(items[0]).toMatchObject({
      actor: { id: 'configured:admin', name: 'admin', sessionId: null, remoteAddress: '127.0.0.1' },
      data: {
        workspaceId: 'crew',
        name: 'a.bin',
        sizeBytes: 5,
        sha256: createHash('sha256').update('bytes').digest('hex'),
        objectKey: expect.stringContaining('documents/'),
        reason: 'asked'
      }
    })
    expect(items[1]!.data).toEqual({ workspaceId: 'crew', name: 'a.bin', kind: 'document', reason: 'asked' })
  })

  test('what a token did by its id, also through a browser session', async () => {
    const base = await startTestDaemon()
    const assetId = await upload(base, 'bytes')
    const { id, secret } = await base.api.call(createToken, { body: { name: 'office', role: 'operator' } })
    const opened = await base.fetch('/api/v1/session', {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` }
    })
    const answer = await fetch(`${base.ready.admin.url}/api/v1/assets/${assetId}`, {
      method: 'DELETE',
      headers: { cookie: opened.headers.get('set-cookie')!.split(';')[0]!, origin: base.ready.admin.url }
    })
    expect(answer.status).toBe(200)
    const { items } = await base.api.call(listAudit, { query: { actor: `token:${id}` } })
    expect(items).toMatchObject([
      { action: 'asset.binned', actor: { name: 'office', sessionId: expect.stringMatching(/^\w{26}$/) } }
    ])
  })

  test('tokens that are issued and revoked, without their secrets', async () => {
    const base = await startTestDaemon()
    const { id, secret } = await base.api.call(createToken, { body: { name: 'office', role: 'operator' } })
    await base.api.call(revokeToken, { params: { tokenId: id } })
    await base.api.call(revokeToken, { params: { tokenId: id } })
    const { items } = await base.api.call(listAudit, { query: { subject: id } })
    expect(items.map(({ action, data }) => [action, data])).toEqual([
      ['token.revoked', { name: 'office', role: 'operator' }],
      ['token.created', { name: 'office', role: 'operator' }]
    ])
    expect((await linesOf(base)).join()).not.toContain(secret)
  })

  test('what changes how the base works, without secrets', async () => {
    const base = await startTestDaemon()
    await upload(base, 'bytes')
    await base.api.call(setWorkspaceQuota, { params: { workspaceId: 'crew' }, body: { quotaBytes: 5 } })
    const url = 'http://127.0.0.1:9/hook/a-path-that-is-a-password'
    const { id, secret } = await base.api.call(createWebhook, { body: { url, types: ['asset.purged'] } })
    const params = { webhookId: id }
    await base.api.call(updateWebhook, { params, body: { isEnabled: false } })
    await base.api.call(rotateWebhookSecret, { params })
    await base.api.call(deleteWebhook, { params })
    const records = (await recordsOf(base)).map(({ action, data }) => [action, data])
    expect(records).toEqual([
      ['webhook.deleted', { url: 'http://127.0.0.1:9' }],
      ['webhook.changed', { isSecretReplaced: true }],
      ['webhook.changed', { isEnabled: false }],
      ['webhook.created', { url: 'http://127.0.0.1:9', types: ['asset.purged'], isEnabled: true }],
      ['workspace.quota_changed', { workspaceId: 'crew', quotaBytes: 5 }]
    ])
    const lines = (await linesOf(base)).join()
    for (const hidden of [secret, 'a-path']) expect(lines).not.toContain(hidden)
  })

  test('many references as one record, one reference with everything, a dry run not at all', async () => {
    const base = await startTestDaemon()
    const assetId = await upload(base, 'bytes')
    const reference = (owner: string, externalId: string) => ({ assetId, namespace: 'posts', owner, externalId })
    const references = [...Array(20).keys()].map((n) => reference('ann', String(n)))
    await base.api.call(createReferences, { body: { references: [...references, reference('bob', '1')] } })
    await base.api.call(deleteReferences, { body: { namespace: 'posts', owner: 'ann' } })
    await base.api.call(deleteReferences, { body: { namespace: 'posts', owner: 'bob' } })
    await base.api.call(deleteReferences, { body: { namespace: 'posts', owner: 'nobody' } })
    await base.api.call(collectGarbage, { body: { dryRun: true } })
    await base.api.call(collectGarbage, { body: {} })
    const records = await recordsOf(base)
    expect(records.map(({ action, subject, data }) => ({ action, subject, data }))).toMatchObject([
      { action: 'gc.run', data: { isDryRun: false, purged: 0 } },
      { action: 'references.deleted', subject: assetId, data: { owner: 'bob', workspaceId: 'crew' } },
      { action: 'references.deleted', subject: 'posts', data: { count: 20, assetCount: 1 } }
    ])
  })

  test('nothing of what was refused', async () => {
    const base = await startTestDaemon()
    const assetId = await upload(base, 'bytes')
    const remove = base.api.call(deleteAsset, { params: { assetId }, query: { permanent: 'true' } })
    await expect(remove).rejects.toMatchObject({ problem: { code: 'asset_not_binned' } })
    expect(await recordsOf(base)).toEqual([])
  })
})

test('the list is filtered and paged', async () => {
  const base = await startTestDaemon()
  const tokens = []
  for (const name of ['a', 'b', 'c']) tokens.push(await base.api.call(createToken, { body: { name, role: 'viewer' } }))
  await base.api.call(revokeToken, { params: { tokenId: tokens[0]!.id } })
  const seen: AuditRecord[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await base.api.call(listAudit, { query: { action: 'token.created', limit: 2, cursor } })
    seen.push(...page.items)
    if (page.nextCursor === null) break
    cursor = page.nextCursor
  }
  expect(seen.map(({ subject }) => subject)).toEqual(tokens.map(({ id }) => id).reverse())
  const { at } = seen[0]!
  const count = async (query: object) => (await base.api.call(listAudit, { query })).items.length
  expect(await count({ from: '2000-01-01T00:00:00Z', until: '2001-01-01T00:00:00Z' })).toBe(0)
  expect(await count({ from: '2000-01-01T00:00:00Z' })).toBe(5)
  expect(await count({ from: at, action: 'token.created' })).toBeGreaterThanOrEqual(1)
  expect(await count({ until: at, subject: tokens[2]!.id })).toBe(0)
  await expect(base.api.call(listAudit, { query: { cursor: 'x' } })).rejects.toMatchObject({
    problem: { code: 'invalid_request' }
  })
})

test('what was done to one thing is found by that thing, whatever else is asked', () => {
  const db = testDatabase()
  const repository = new AuditRepository(db)
  const query = { subject: 'a', actor: 'b', action: 'asset.binned', limit: 10 } as const
  for (const scope of ['all', ['crew'], ['crew', 'other']] as const)
    expect(plansOf(db, () => repository.list(query, scope)).join()).toContain('USING INDEX audit_by_subject')
})

test('the export is proved without the program', async () => {
  const base = await startTestDaemon()
  for (const name of ['é "quoted" \\ name', 'line\u2028break'])
    await base.api.call(createToken, { body: { name, role: 'viewer' } })
  let before = '0'.repeat(64)
  const lines = await linesOf(base)
  expect(lines).toHaveLength(3)
  for (const line of lines) {
    const { prevHash, hash } = JSON.parse(line) as AuditRecord
    expect(prevHash).toBe(before)
    const text = line.replace(/,"hash":"\w{64}"\}$/, '}')
    expect(createHash('sha256').update(text).digest('hex')).toBe(hash)
    before = hash
  }
})

describe('the chain', () => {
  function openChain(records: number) {
    const folder = temporaryFolder('audit')
    const db = testDatabase(folder)
    const clock = new ManualClock()
    const log = new AuditLog({ db, clock })
    const path = join(folder, 'audit.head')
    const repository = new AuditRepository(db)
    const service = new AuditService({ repository, noted: new NotedHead(path, clock) })
    const record = (count: number) =>
      db.transaction(() => {
        for (let n = 0; n < count; n++) log.record('asset.purged', `asset ${n}`, { sizeBytes: n })
      })
    const verify = () => service.verify(new AbortController().signal)
    /** What somebody does who can write the file. */
    const tamper = (sql: string) => {
      for (const name of ['audit_keeps_every_record', 'audit_changes_no_record']) db.sql.exec(`DROP TRIGGER ${name}`)
      db.sql.exec(sql)
    }
    record(records)
    return { db, clock, log, path, service, record, verify, tamper }
  }
  const brokenAt = (firstBrokenSeq: number, problem: string) => ({ isIntact: false, firstBrokenSeq, problem })

  test('is whole as written, over several steps', async () => {
    const { verify, service, record } = openChain(0)
    expect(await verify()).toEqual({
      isIntact: true,
      recordCount: 0,
      firstBrokenSeq: null,
      problem: null,
      head: null,
      noted: null
    })
    expect(await service.noteHead()).toBeNull()
    record(1234)
    const head = await service.noteHead()
    record(1)
    expect(await verify()).toMatchObject({ isIntact: true, recordCount: 1235, noted: head, head: { seq: 1235 } })
  })

  test.each([
    [`UPDATE audit SET data_json = '{}' WHERE seq = 700`, 700, 'record_changed'],
    [`UPDATE audit SET actor_json = '{"id":"token:other"}' WHERE seq = 700`, 700, 'record_changed'],
    [`UPDATE audit SET at_ms = at_ms - 1 WHERE seq = 1`, 1, 'record_changed'],
    ['DELETE FROM audit WHERE seq = 700', 700, 'record_missing'],
    ['DELETE FROM audit WHERE seq < 3', 1, 'record_missing'],
    ['DELETE FROM audit WHERE seq > 990', 991, 'end_missing'],
    ['DELETE FROM audit', 1, 'end_missing']
  ])('tells where it was tampered with: %s', async (sql, seq, problem) => {
    const { verify, tamper, service } = openChain(1000)
    await service.noteHead()
    tamper(sql)
    expect(await verify()).toMatchObject(brokenAt(seq, problem))
  })

  test('tells that its end was written anew', async () => {
    const { db, verify, tamper, service, record } = openChain(1000)
    await service.noteHead()
    tamper('DELETE FROM audit WHERE seq > 990')
    record(20)
    expect(db.prepare('SELECT max(seq) AS last FROM audit').get()).toEqual({ last: 1010 })
    expect(await verify()).toMatchObject(brokenAt(1000, 'record_changed'))
    await expect(service.noteHead()).rejects.toThrow('record_changed at 1000')
    expect(await verify()).toMatchObject({ noted: { seq: 1000 } })
  })

  test('a record that was changed together with its hash breaks at the next one', async () => {
    const { db, verify, tamper } = openChain(10)
    const row = db.prepare<unknown[], Parameters<typeof lineOf>[0]>('SELECT * FROM audit WHERE seq = 5').get()!
    const text = lineOf({ ...row, subject: 'another' }).replace(/,"hash":"\w{64}"\}\n$/, '}')
    const hash = createHash('sha256').update(text).digest('hex')
    tamper(`UPDATE audit SET subject = 'another', hash = '${hash}' WHERE seq = 5`)
    expect(await verify()).toMatchObject(brokenAt(6, 'record_changed'))
  })

  test('a note that cannot be read is told and not overwritten', async () => {
    const { verify, service, path } = openChain(3)
    writeFileSync(path, 'garbage')
    expect(await verify()).toMatchObject({ isIntact: false, problem: 'note_unreadable', noted: null })
    await expect(service.noteHead()).rejects.toThrow('note_unreadable')
    const folder = temporaryFolder('no-file')
    mkdirSync(join(folder, 'audit.head'))
    expect(await new NotedHead(join(folder, 'audit.head'), new ManualClock()).read()).toBe('unreadable')
  })

  test('cannot be changed by a mistake of the program', () => {
    const { db } = openChain(3)
    expect(() => db.prepare('DELETE FROM audit WHERE seq = 3').run()).toThrow('only added to')
    expect(() => db.prepare(`UPDATE audit SET subject = 'x'`).run()).toThrow('only added to')
  })

  test('names the task when nobody asked, and keeps nothing of what was rolled back', () => {
    const { db, log } = openChain(0)
    expect(() =>
      db.transaction(() => {
        log.record('asset.binned', 'a')
        throw new Error('undone')
      })
    ).toThrow('undone')
    actingBySystem('assets nobody needs', () => log.record('asset.purged', 'b'))
    log.record('asset.purged', 'c')
    expect(db.prepare('SELECT seq, actor, subject FROM audit ORDER BY seq').all()).toEqual([
      { seq: 1, actor: 'system:assets nobody needs', subject: 'b' },
      { seq: 2, actor: 'system:daemon', subject: 'c' }
    ])
  })
})

test('the end is noted when the daemon starts and stops', async () => {
  const dataDir = join(temporaryFolder('noted'), 'data')
  const first = await startTestDaemon({ dataDir })
  await first.api.call(createToken, { body: { name: 'a', role: 'viewer' } })
  await first.daemon.stop()
  const noted = await new NotedHead(join(dataDir, 'audit.head'), new ManualClock()).read()
  expect(noted).toMatchObject({ seq: 2 })
  const second = await startTestDaemon({ dataDir })
  const lines = await linesOf(second)
  expect(JSON.parse(lines[1]!)).toMatchObject({ seq: 2, hash: (noted as { hash: string }).hash })
})

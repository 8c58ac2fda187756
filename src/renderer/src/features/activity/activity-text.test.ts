import i18next from 'i18next'
import { beforeAll, expect, test } from 'vitest'
import { type AuditRecord, auditActions } from '../../../../shared/api/audit.ts'
import { formatsOf } from '../../lib/format.ts'
import { startI18n } from '../../lib/i18n/i18n.ts'
import { setPreferences } from '../../lib/preferences.ts'
import { actionText, actorText, detailText, openableAssetId, subjectName } from './activity-text.ts'

beforeAll(() => {
  setPreferences({ language: 'en' })
  startI18n()
})

const record = (change: Partial<AuditRecord>): AuditRecord => ({
  seq: 1,
  at: '2026-11-21T01:00:00.000Z',
  actor: { id: 'token:x', name: 'Ann', sessionId: null, remoteAddress: null },
  action: 'asset.binned',
  subject: 'a'.repeat(26),
  data: {},
  prevHash: '',
  hash: '',
  ...change
})

test.each([
  ['token:06h', 'Ann', 'Ann'],
  ['configured:admin', 'admin', 'With the link of this base'],
  ['command:pi', 'pi', 'pi, in a terminal of the base'],
  ['system:gc.sweep', 'gc.sweep', 'The base by itself']
])('%s is told as a person understands it', (id, name, words) => {
  expect(actorText(i18next.t, { id, name, sessionId: null, remoteAddress: null })).toBe(words)
})

test.each(auditActions)('%s has words', (action) => {
  expect(actionText(i18next.t, action)).not.toBe(action)
})

test('a record tells why and how much', () => {
  const details = (change: Partial<AuditRecord>) => detailText(i18next.t, formatsOf('en'), record(change))
  expect(details({ data: { name: 'A.JPG', reason: 'orphaned' } })).toEqual(['nothing used it any more'])
  expect(details({ data: { name: 'A.JPG', reason: 'of a newer base' } })).toEqual(['of a newer base'])
  expect(details({ action: 'bin.emptied', data: { purged: 12, freedBytes: 3_000_000 } })).toEqual([
    '12 files',
    '3 MB freed'
  ])
  expect(
    details({ action: 'references.deleted', data: { count: 1, namespace: 'posts', owner: 'ann', reason: 'asked' } })
  ).toEqual(['posts · ann'])
  expect(details({ action: 'token.created', data: { role: 'controller' } })).toEqual(['Role: controller'])
  expect(details({ data: { purged: 'many' } })).toEqual([])
})

test('what is gone for good cannot be opened', () => {
  expect(openableAssetId(record({}))).toBe('a'.repeat(26))
  expect(openableAssetId(record({ action: 'asset.purged' }))).toBeNull()
  expect(openableAssetId(record({ action: 'token.created' }))).toBeNull()
  expect(openableAssetId(record({ action: 'references.deleted', data: { count: 3 } }))).toBeNull()
  expect(subjectName(record({ data: { name: 'A.JPG' } }))).toBe('A.JPG')
})

import { mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type IdentityService, openIdentityService } from './identity-service.ts'
import { StoreKeys } from './root-key.ts'

let directory: string
let nowMs: number
let identity: IdentityService
const open = () => openIdentityService({ directory, log: pino({ level: 'silent' }), clock: () => nowMs })

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flightcase-identity-'))
  nowMs = Date.UTC(2026, 10, 20)
  identity = open()
})
afterEach(() => {
  identity.close()
  rmSync(directory, { recursive: true, force: true })
})

const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] }
const issue = (request: object = {}) =>
  identity.issueSession({ workspaceId: 'ws-1', durationSeconds: 3600, ...request })
const verdictOf = ({ accessKeyId, sessionToken }: { accessKeyId: string; sessionToken: string }) => {
  const credential = identity.findCredential(accessKeyId)
  return credential && identity.judgeToken(credential, sessionToken)
}

describe('sessions', () => {
  it('survive a restart with the same secret and token', () => {
    const session = issue({ deviceId: 'rc-1', policy })
    identity.close()
    identity = open()
    const credential = identity.findCredential(session.accessKeyId)
    expect(credential?.secretAccessKey).toBe(session.secretAccessKey)
    expect(credential?.policies).toHaveLength(2)
    expect(verdictOf(session)).toBe('valid')
  })
  it('expire, are known for a while and are then forgotten', () => {
    const session = issue({ durationSeconds: 900 })
    nowMs += 899_000
    expect(verdictOf(session)).toBe('valid')
    nowMs += 1000
    expect(verdictOf(session)).toBe('expired')
    nowMs += 8 * 24 * 3_600_000
    identity.close()
    identity = open()
    expect(identity.findCredential(session.accessKeyId)).toBeUndefined()
  })
  it('can be revoked alone, by workspace, device and parent', () => {
    const sessions = [issue(), issue({ workspaceId: 'ws-2' }), issue({ deviceId: 'rc-1' }), issue()]
    const [one, two, three, four] = sessions
    expect(identity.revokeSession(one?.accessKeyId ?? '')).toBe(true)
    expect(identity.revokeSession(one?.accessKeyId ?? '')).toBe(false)
    expect(identity.revokeSessions({ workspaceId: 'ws-2' })).toBe(1)
    expect(identity.revokeSessions({ deviceId: 'rc-1' })).toBe(1)
    expect([one, two, three, four].map((session) => session && verdictOf(session))).toEqual([
      'invalid',
      'invalid',
      'invalid',
      'valid'
    ])
    expect(identity.listLiveSessions().map((session) => session.accessKeyId)).toEqual([four?.accessKeyId])
    expect(identity.revokeSessions({ parent: identity.listLiveSessions()[0]?.parent ?? '' })).toBe(1)
  })
  it('a device keeps the 50 latest', () => {
    const sessions = Array.from({ length: 52 }, () => {
      nowMs += 1000
      return issue({ deviceId: 'rc-1' })
    })
    expect(sessions.slice(0, 3).map(verdictOf)).toEqual(['invalid', 'invalid', 'valid'])
    expect(identity.listLiveSessions()).toHaveLength(50)
  })
  it.each(['*', 'a/b', '$' + '{aws:username}', '', 'x'.repeat(65)])(
    'T17: no session for workspace "%s"',
    (workspaceId) => {
      expect(() => issue({ workspaceId })).toThrow(expect.objectContaining({ code: 'ValidationError' }))
      expect(() => issue({ deviceId: workspaceId })).toThrow(expect.objectContaining({ code: 'ValidationError' }))
    }
  )
  it.each([899, 43_201, 1000.5, Number.NaN])('no session of %d seconds', (durationSeconds) => {
    expect(() => issue({ durationSeconds })).toThrow(expect.objectContaining({ code: 'ValidationError' }))
  })
  it('no session with a policy that is too large or not understood', () => {
    expect(() => issue({ policy: { ...policy, Id: 'x'.repeat(2048) } })).toThrow(
      expect.objectContaining({ code: 'PackedPolicyTooLarge' })
    )
    expect(() => issue({ policy: {} })).toThrow(expect.objectContaining({ code: 'MalformedPolicyDocument' }))
  })
  it('a clock set back revives no session, and issuing goes on', () => {
    const expired = issue({ durationSeconds: 900 })
    nowMs += 20 * 60_000
    issue()
    identity.close()
    nowMs -= 16 * 60_000
    identity = open()
    expect(verdictOf(expired)).toBe('invalid')
    const fresh = issue()
    identity.close()
    identity = open()
    expect(verdictOf(fresh)).toBe('valid')
  })
})

describe('service users', () => {
  it('have random keys, shown once, and end with their sessions', () => {
    const user = identity.createServiceUser({ name: 'rclone', policy, canAssume: true })
    expect(user.accessKeyId).toMatch(/^[A-Z0-9]{20}$/)
    expect(user.secretAccessKey).toMatch(/^[A-Za-z0-9]{40}$/)
    const session = issue({ parent: user.accessKeyId })
    expect(identity.disableServiceUser(user.accessKeyId)).toBe(true)
    expect(identity.findCredential(user.accessKeyId)).toBeUndefined()
    expect(identity.findCredential(session.accessKeyId)).toBeUndefined()
    expect(identity.disableServiceUser(user.accessKeyId)).toBe(false)
    expect(identity.listServiceUsers().find((one) => one.name === 'rclone')?.disabledAtMs).toBe(nowMs)
  })
  it('only issue sessions when they may', () => {
    const user = identity.createServiceUser({ name: 'plain', policy })
    expect(() => issue({ parent: user.accessKeyId })).toThrow(expect.objectContaining({ code: 'AccessDenied' }))
    expect(() => issue({ parent: issue().accessKeyId })).toThrow(expect.objectContaining({ code: 'AccessDenied' }))
  })
  it('have unique names and keys', () => {
    const { accessKeyId } = identity.createServiceUser({ name: 'a', policy })
    for (const request of [{ name: 'a' }, { name: 'b', accessKeyId, secretAccessKey: 'x'.repeat(40) }])
      expect(() => identity.createServiceUser({ policy, ...request })).toThrow(
        expect.objectContaining({ code: 'ValidationError' })
      )
  })
})

describe('the root key', () => {
  const keyPath = () => join(directory, 'root.key')
  it('is private and keeps secrets out of the database', () => {
    if (process.platform !== 'win32') expect(statSync(keyPath()).mode & 0o777).toBe(0o600)
    const user = identity.createServiceUser({ name: 'a', policy })
    const session = issue()
    identity.close()
    const stored = readFileSync(join(directory, 'identity.db')).toString('latin1')
    expect(stored).toContain(user.accessKeyId)
    for (const secret of [user.secretAccessKey, session.secretAccessKey, session.sessionToken])
      expect(stored).not.toContain(secret)
    identity = open()
  })
  it.each([
    ['root_key_missing', () => unlinkSync(keyPath())],
    ['root_key_malformed', () => writeFileSync(keyPath(), 'x')],
    ['root_key_mismatch', () => writeFileSync(keyPath(), 'ab'.repeat(32))]
  ])('%s is named, and nothing is made anew', (code, spoil) => {
    const key = readFileSync(keyPath())
    identity.close()
    spoil()
    expect(open).toThrow(expect.objectContaining({ code }))
    writeFileSync(keyPath(), key)
    identity = open()
  })
  it('binds a wrapped secret to its access key', () => {
    const keys = new StoreKeys(Buffer.alloc(32, 1))
    const wrapped = keys.wrapSecret('A', 'secret')
    expect(keys.unwrapSecret('A', wrapped)).toBe('secret')
    expect(() => keys.unwrapSecret('B', wrapped)).toThrow()
    expect(() => new StoreKeys(Buffer.alloc(32, 2)).unwrapSecret('A', wrapped)).toThrow()
  })
})

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StartupError } from '../errors.ts'
import { packageRoot } from '../package-info.ts'
import { writeChosen } from './chosen-settings.ts'
import { loadConfig } from './load.ts'
import { defaultText, type SettingName, settings } from './schema.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'flightcase-config-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const chosenStore = [
  ['store.mode', 'external'],
  ['store.endpoint', 'http://nas.lan:9000'],
  ['store.access_key', 'key'],
  ['store.secret_key', 'hunter2']
] as const
const writeToml = (text: string) => writeFileSync(join(dataDir, 'flightcase.toml'), text)

describe('precedence', () => {
  test('defaults', () => {
    const config = loadConfig({ flags: { dataDir }, env: {} })
    expect(config.field).toEqual({ host: '0.0.0.0', port: 8700 })
    expect(config.admin).toEqual({ host: '127.0.0.1', port: 8701 })
    expect(config.store).toMatchObject({
      mode: 'embedded',
      listen: { host: '0.0.0.0', port: 9000 },
      region: 'us-east-1'
    })
    expect(config.adminToken).toBeNull()
  })

  test('file, then environment, then flags', () => {
    writeToml('field = "127.0.0.1:1000"\nadmin = "127.0.0.1:1001"\n[store]\nbucket = "from-file"\n')
    const env = { FLIGHTCASE_FIELD: '127.0.0.1:2000', FLIGHTCASE_ADMIN: '127.0.0.1:2001' }
    const config = loadConfig({ flags: { dataDir, field: '127.0.0.1:3000' }, env })
    expect(config.field.port).toBe(3000)
    expect(config.admin.port).toBe(2001)
    expect(config.store.bucket).toBe('from-file')
  })

  test('what the screen wrote down comes after the file, and says where it comes from; secrets are not told', async () => {
    writeToml('[store]\nbucket = "from-file"\n')
    await writeChosen(dataDir, new Map([...chosenStore, ['store.bucket', 'from-screen'], ['store.region', 'eu-1']]))
    const config = loadConfig({ flags: { dataDir }, env: { FLIGHTCASE_S3_REGION: 'env-1' } })
    expect(config.store).toMatchObject({ mode: 'external', secretKey: 'hunter2', bucket: 'from-file', region: 'env-1' })
    const where = `store.endpoint in ${join(dataDir, 'settings.toml')}`
    expect(config.origins.get('s3Endpoint')).toEqual({ source: 'screen', where, text: 'http://nas.lan:9000' })
    expect(config.origins.get('s3Bucket')).toMatchObject({ source: 'file' })
    expect(config.origins.get('s3Region')).toMatchObject({ source: 'environment', where: 'FLIGHTCASE_S3_REGION' })
    expect(config.origins.get('s3SecretKey')).toMatchObject({ source: 'screen', text: null })
    expect(config.origins.has('s3Profile')).toBe(false)
    expect(config.choosing(new Map()).store).toMatchObject({ mode: 'embedded', bucket: 'from-file' })
    expect(() => config.choosing(new Map([['store.mode', 'external']]))).toThrow(/needed with an external store/)
    if (process.platform !== 'win32') expect(statSync(join(dataDir, 'settings.toml')).mode & 0o777).toBe(0o600)
    await writeChosen(dataDir, new Map())
    expect(loadConfig({ flags: { dataDir }, env: {} }).store.mode).toBe('embedded')
  })

  test('a bare port keeps the default host, IPv6 needs brackets', () => {
    const config = loadConfig({ flags: { dataDir, field: '0', admin: '[::1]:8701' }, env: {} })
    expect(config.field).toEqual({ host: '0.0.0.0', port: 0 })
    expect(config.admin).toEqual({ host: '::1', port: 8701 })
  })

  test('switches are words in the environment and booleans in the file', () => {
    writeToml('[pilot]\nrecorder = true\n')
    expect(loadConfig({ flags: { dataDir }, env: {} }).pilot.recorder).toBe(true)
    expect(loadConfig({ flags: { dataDir }, env: { FLIGHTCASE_PILOT_RECORDER: 'off' } }).pilot.recorder).toBe(false)
  })
})

describe('mistakes', () => {
  const failure = (flags: object, env: Record<string, string> = {}): string => {
    try {
      loadConfig({ flags: { dataDir, ...flags }, env })
    } catch (error) {
      if (error instanceof StartupError && error.code === 'invalid_configuration') return error.message
      throw error
    }
    throw new Error('accepted')
  }

  test.each([
    [{ field: '127.0.0.1:70000' }, '--field: must be HOST:PORT'],
    [{ admin: '127.0.0.1:port' }, '--admin: must be HOST:PORT'],
    [{ logLevel: 'loud' }, '--log-level:']
  ])('%j', (flags, text) => expect(failure(flags)).toContain(text))

  test.each([
    ['FLIGHTCASE_GRACE_HOURS', 'soon', 'must be a number'],
    ['FLIGHTCASE_GRACE_HOURS', '-1', 'must be a number'],
    ['FLIGHTCASE_BIN_DAYS', '99999', 'must be at most 36500'],
    ['FLIGHTCASE_ORPHAN_POLICY', 'burn', 'FLIGHTCASE_ORPHAN_POLICY:'],
    ['FLIGHTCASE_BUCKET_ROOT_PREFIX', '/tenant-a', 'must not begin or end with a slash'],
    ['FLIGHTCASE_BUCKET_ROOT_PREFIX', 'media/tenant-a', 'belongs to the controllers'],
    ['FLIGHTCASE_S3_PROFILE', 'swift', 'FLIGHTCASE_S3_PROFILE:'],
    ['FLIGHTCASE_S3_ROLE_ARN', 'uploader', 'must be a role ARN'],
    ['FLIGHTCASE_S3_PART_MIB', '4', 'FLIGHTCASE_S3_PART_MIB:'],
    ['FLIGHTCASE_LIVE_RTMP', 'none', 'must be HOST:PORT or off'],
    ['FLIGHTCASE_RECORDINGS_SEGMENT_MINUTES', '0', 'must be more than 0'],
    ['FLIGHTCASE_RECORDINGS_DIR', '/media/100%', 'must not have a % in it'],
    ['FLIGHTCASE_TIERING_AFTER_DAYS', 'video', 'must be kind=days'],
    ['FLIGHTCASE_TIERING_AFTER_DAYS', 'film=90', 'must be kind=days'],
    ['FLIGHTCASE_TIERING_AFTER_DAYS', 'video=90,video=80', 'must be kind=days']
  ])('%s=%s', (name, value, text) => expect(failure({}, { [name]: value })).toContain(text))

  test('a moderation service without a secret, and one with a secret that is none', () => {
    const env = { FLIGHTCASE_MODERATION_URL: 'http://judge.lan/', FLIGHTCASE_MODERATION_KINDS: 'image,holograms' }
    expect(failure({}, env)).toMatch(/FLIGHTCASE_MODERATION_KINDS.*\n.*FLIGHTCASE_MODERATION_SECRET .*needed/)
    expect(failure({}, { ...env, FLIGHTCASE_MODERATION_SECRET: 'hunter2' })).toMatch(/SECRET: must be whsec_/)
  })

  test('an address with a user or a password, which would be shown to everybody', () => {
    for (const user of ['ann:hunter2@', 'ann@', ':hunter2@']) {
      const message = failure({}, { FLIGHTCASE_S3_ENDPOINT: `http://${user}nas:9000` })
      expect(message).toContain('FLIGHTCASE_S3_ENDPOINT: must not hold a user name or password')
      expect(message).not.toContain('hunter2')
    }
  })

  test('all of them are listed, with the names of their sources', () => {
    writeToml('fiel = "x"\n[store]\nbucket = "Not A Bucket"\n')
    const message = failure({}, { FLIGHTCASE_S3_ENDPOINT: 'ftp://nas' })
    expect(message).toContain('fiel in ')
    expect(message).toContain('store.bucket in ')
    expect(message).toContain('FLIGHTCASE_S3_ENDPOINT: must be a URL beginning with http')
  })

  test('an external store needs address and keys', () => {
    const message = failure({}, { FLIGHTCASE_OBJECT_STORE: 'external' })
    for (const name of ['S3_ENDPOINT', 'S3_ACCESS_KEY', 'S3_SECRET_KEY'])
      expect(message).toContain(`FLIGHTCASE_${name}`)
  })

  test('what an external store needs is listed beside all other mistakes, each thing once', () => {
    writeToml('fiel = "x"\n[store]\nmode = "external"\nendpoint = "nas"\n')
    const message = failure({ admin: '1.2.3.4:port' })
    for (const text of ['--admin: must', 'fiel in ', 'store.endpoint in ', '(store.access_key): needed'])
      expect(message).toContain(text)
    expect(message).toContain('(store.secret_key): needed')
    expect(message).not.toContain('(store.endpoint)')
  })

  test('an unreadable file does not hide the other mistakes, nor is blamed for what it may hold', () => {
    writeToml('secret_key = "hunter2\n')
    const message = failure({ admin: '1.2.3.4:port' }, { FLIGHTCASE_OBJECT_STORE: 'external' })
    expect(message).toContain('--admin: must')
    expect(message).toContain('cannot be read as TOML: the mistake is in line 1')
    expect(message).not.toContain('needed')
    expect(message).not.toContain('hunter2')
  })

  test('a token that no header can carry', () => {
    const message = failure({}, { FLIGHTCASE_ADMIN_TOKEN: 'correct horse', FLIGHTCASE_PILOT_TOKEN: 'Grüße aus' })
    expect(message).toContain('FLIGHTCASE_ADMIN_TOKEN: may hold')
    expect(message).toContain('FLIGHTCASE_PILOT_TOKEN: may hold')
    expect(message).not.toContain('horse')
  })

  test('a secret is never repeated', () => {
    expect(failure({}, { FLIGHTCASE_PILOT_TOKEN: 'hunter2' })).not.toContain('hunter2')
  })

  test('a file that is no TOML, a file that is not there', () => {
    writeToml('field = = 1')
    expect(failure({})).toContain('cannot be read as TOML')
    expect(() => loadConfig({ flags: { dataDir }, env: {}, configPath: join(dataDir, 'nope.toml') })).toThrow(
      'no configuration file'
    )
  })

  test('unknown variables are told, not fatal', () => {
    const env = { FLIGHTCASE_FEILD: '1', FLIGHTCASE_TEST_PHOTOS: 'x', PATH: '/bin' }
    expect(loadConfig({ flags: { dataDir }, env }).unknownVariables).toEqual(['FLIGHTCASE_FEILD'])
  })
})

test('docs/configuration.md names every setting in every spelling, and its default', () => {
  const page = readFileSync(join(packageRoot, 'docs/configuration.md'), 'utf8')
  for (const [name, definition] of Object.entries(settings)) {
    expect(page).toContain(`\`${definition.env}\``)
    if (name !== 'dataDir') expect(page).toContain(`\`${definition.toml}\``)
    if ('flag' in definition) expect(page).toContain(`\`${definition.flag}\``)
    const value = defaultText(name as SettingName)
    if (value !== null)
      expect(page.split('\n').find((line) => line.includes(`\`${definition.env}\``))).toContain(`| \`${value}\` |`)
  }
})

test('a user for Kafka needs a password, and the other way round', () => {
  const kafka = { FLIGHTCASE_KAFKA_BROKERS: 'a:9092, b:9093' }
  const sinksFor = (env: Record<string, string>) =>
    loadConfig({ flags: { dataDir: '/nowhere' }, env: { ...kafka, ...env } }).sinks
  expect(sinksFor({}).kafka).toMatchObject({ brokers: ['a:9092', 'b:9093'], topic: 'flightcase.events', login: null })
  expect(() => sinksFor({ FLIGHTCASE_KAFKA_USERNAME: 'ann' })).toThrow('FLIGHTCASE_KAFKA_PASSWORD (kafka.password)')
  expect(() => sinksFor({ FLIGHTCASE_KAFKA_PASSWORD: 'x' })).toThrow('FLIGHTCASE_KAFKA_USERNAME (kafka.username)')
  expect(sinksFor({ FLIGHTCASE_KAFKA_USERNAME: 'ann', FLIGHTCASE_KAFKA_PASSWORD: 'x' }).kafka?.login).toEqual({
    mechanism: 'PLAIN',
    username: 'ann',
    password: 'x'
  })
})

describe('streams', () => {
  const load = (env: Record<string, string>) => loadConfig({ flags: { dataDir }, env }).live

  test('each protocol has an address or is off', () => {
    const { listen, recordings } = load({
      FLIGHTCASE_LIVE_RTMP: 'off',
      FLIGHTCASE_LIVE_RTSP: '0',
      FLIGHTCASE_LIVE_SRT: '8890',
      FLIGHTCASE_RECORDINGS_MAX_GB: '0.5'
    })
    expect(listen).toMatchObject({
      rtmp: null,
      rtsp: { host: '0.0.0.0', port: 0 },
      hls: { host: '0.0.0.0', port: 8888 },
      srt: { host: '0.0.0.0', port: 8890 }
    })
    expect(load({}).listen.srt).toBeNull()
    expect(recordings).toEqual({
      dir: join(dataDir, 'recordings'),
      segmentMs: 900_000,
      keepMs: null,
      maxBytes: 500_000_000,
      minFreeBytes: null,
      maxGapMs: 10_000
    })
  })

  test('a media server of others, with a user and a password or without', () => {
    const api = { FLIGHTCASE_MEDIAMTX_API: 'http://media.lan:9997/' }
    const user = { FLIGHTCASE_MEDIAMTX_USER: 'base' }
    const password = { FLIGHTCASE_MEDIAMTX_PASSWORD: 'hunter2' }
    expect(load({}).external).toBeNull()
    expect(load(api).external).toEqual({ apiUrl: 'http://media.lan:9997', credential: null, auth: null })
    expect(load({ ...api, ...user, ...password }).external?.credential).toEqual({ user: 'base', password: 'hunter2' })
    expect(() => load({ ...api, ...user })).toThrow('FLIGHTCASE_MEDIAMTX_PASSWORD (live.mediamtx_password)')
    expect(() => load({ ...api, ...password })).toThrow('FLIGHTCASE_MEDIAMTX_USER (live.mediamtx_user)')
    expect(() => load({ ...user, ...password })).toThrow('FLIGHTCASE_MEDIAMTX_API (live.mediamtx_api)')
  })

  test('a media server of others that asks here who may', () => {
    const api = { FLIGHTCASE_MEDIAMTX_API: 'http://media.lan:9997/' }
    const auth = { FLIGHTCASE_MEDIAMTX_AUTH: '8702' }
    const key = { FLIGHTCASE_MEDIAMTX_AUTH_KEY: 'a-key-of-sixteen' }
    expect(load({ ...api, ...auth, ...key }).external?.auth).toEqual({
      listen: { host: '0.0.0.0', port: 8702 },
      key: 'a-key-of-sixteen'
    })
    expect(() => load({ ...api, ...auth })).toThrow('FLIGHTCASE_MEDIAMTX_AUTH_KEY (live.mediamtx_auth_key)')
    expect(() => load({ ...api, ...key })).toThrow('FLIGHTCASE_MEDIAMTX_AUTH (live.mediamtx_auth)')
    expect(() => load({ ...auth, ...key })).toThrow('FLIGHTCASE_MEDIAMTX_API (live.mediamtx_api)')
    expect(() => load({ ...api, ...auth, FLIGHTCASE_MEDIAMTX_AUTH_KEY: 'short' })).toThrow('16')
  })
})

describe('an identity provider', () => {
  const complete = {
    FLIGHTCASE_JWT_ISSUER: 'https://login.example.org/',
    FLIGHTCASE_JWT_AUDIENCE: 'flightcase',
    FLIGHTCASE_JWT_JWKS: 'https://login.example.org/keys'
  }
  const load = (env: Record<string, string>) => loadConfig({ flags: { dataDir }, env }).jwt

  test('is trusted when everything is known of it', () => {
    expect(load({})).toBeNull()
    expect(load(complete)).toMatchObject({
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      roleNames: new Map([
        ['viewer', 'viewer'],
        ['operator', 'operator'],
        ['admin', 'admin']
      ])
    })
    for (const missing of Object.keys(complete)) expect(() => load({ ...complete, [missing]: '' })).toThrow(missing)
  })

  test.each([
    ['FLIGHTCASE_JWT_JWKS', 'http://login.example.org/keys'],
    ['FLIGHTCASE_JWT_JWKS', 'http://localhost.example.org/keys'],
    ['FLIGHTCASE_JWT_ALGORITHMS', 'RS256, HS256'],
    ['FLIGHTCASE_JWT_ALGORITHMS', 'none'],
    ['FLIGHTCASE_JWT_ROLES', 'boss=owner']
  ])('%s is not %s', (name, value) => {
    expect(() => load({ ...complete, [name]: value })).toThrow(name)
  })
})

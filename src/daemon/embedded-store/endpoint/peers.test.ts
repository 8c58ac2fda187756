import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionCredentials } from '../credentials/identity-service.ts'
import { EndpointHarness } from './endpoint-harness.ts'

const run = promisify(execFile)
const MIB = 1024 * 1024

/** Whether a program can be started here; its absence is said aloud, so that a green run is not mistaken for a proof. */
function isAbsent(program: string): boolean {
  const absent = spawnSync(program, ['--version']).error !== undefined
  if (absent) console.warn(`SKIPPED: ${program} is not installed, its interoperability is not tested here`)
  return absent
}

let harness: EndpointHarness
let directory: string
let session: SessionCredentials
beforeAll(async () => {
  harness = await EndpointHarness.open()
  directory = await mkdtemp(join(tmpdir(), 'flightcase-peers-'))
  session = harness.session({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: [
          's3:PutObject',
          's3:GetObject',
          's3:DeleteObject',
          // s3cmd carries the ACL along when it moves something.
          's3:GetObjectAcl',
          's3:PutObjectAcl',
          's3:AbortMultipartUpload',
          's3:ListMultipartUploadParts'
        ],
        Resource: 'arn:aws:s3:::media/ws-1/*'
      },
      {
        Effect: 'Allow',
        Action: ['s3:ListBucket', 's3:GetBucketLocation', 's3:ListBucketMultipartUploads'],
        Resource: 'arn:aws:s3:::media'
      }
    ]
  })
  await mkdir(join(directory, 'card'))
  await writeFile(join(directory, 'card', 'DJI 0001+é.JPG'), 'small picture')
  await writeFile(join(directory, 'card', 'DJI_0002.MP4'), Buffer.alloc(17 * MIB, 'film'))
})
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
  await harness.dispose()
})

const md5 = async (path: string) =>
  createHash('md5')
    .update(await readFile(path))
    .digest('hex')

describe.skipIf(isAbsent('rclone'))('rclone with temporary credentials', () => {
  const rclone = async (...args: string[]): Promise<string> => {
    const environment = {
      PATH: process.env['PATH'],
      HOME: directory,
      RCLONE_CONFIG: join(directory, 'none.conf'),
      RCLONE_CONFIG_FC_TYPE: 's3',
      RCLONE_CONFIG_FC_PROVIDER: 'Minio',
      RCLONE_CONFIG_FC_ENDPOINT: harness.url,
      RCLONE_CONFIG_FC_REGION: 'us-east-1',
      RCLONE_CONFIG_FC_ACCESS_KEY_ID: session.accessKeyId,
      RCLONE_CONFIG_FC_SECRET_ACCESS_KEY: session.secretAccessKey,
      RCLONE_CONFIG_FC_SESSION_TOKEN: session.sessionToken,
      RCLONE_CONFIG_FC_NO_CHECK_BUCKET: 'true',
      RCLONE_CONFIG_FC_UPLOAD_CUTOFF: '5Mi',
      RCLONE_CONFIG_FC_CHUNK_SIZE: '5Mi'
    }
    const { stdout } = await run('rclone', ['--retries', '1', ...args], { env: environment, encoding: 'utf8' })
    return stdout
  }
  const remote = 'fc:media/ws-1/rclone'

  it('uploads, verifies, lists, reads a range, moves and deletes', async () => {
    await rclone('copy', join(directory, 'card'), remote)
    await rclone('check', '--download', join(directory, 'card'), remote)
    expect((await rclone('lsf', remote)).trim().split('\n')).toEqual(['DJI 0001+é.JPG', 'DJI_0002.MP4'])
    expect(await rclone('cat', '--offset', '6', '--count', '7', `${remote}/DJI 0001+é.JPG`)).toBe('picture')
    await rclone('moveto', `${remote}/DJI_0002.MP4`, `${remote}/moved.MP4`)
    expect(await rclone('lsf', remote)).toContain('moved.MP4')
    await rclone('delete', remote)
    expect(await rclone('lsf', remote)).toBe('')
  })
  it('is refused outside its prefix', async () => {
    await expect(rclone('copy', join(directory, 'card'), 'fc:media/ws-2')).rejects.toThrow(/AccessDenied/)
  })
})

describe.skipIf(isAbsent('s3cmd'))('s3cmd with temporary credentials', () => {
  const s3cmd = async (...args: string[]): Promise<string> => {
    const config = join(directory, 's3cfg')
    const host = `127.0.0.1:${harness.port}`
    const settings = {
      access_key: session.accessKeyId,
      secret_key: session.secretAccessKey,
      access_token: session.sessionToken,
      host_base: host,
      host_bucket: host,
      use_https: 'False',
      signature_v2: 'False',
      multipart_chunk_size_mb: '5'
    }
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
    await writeFile(config, `[default]\n${lines.join('')}`)
    const { stdout } = await run('s3cmd', ['--config', config, '--no-progress', ...args], {
      env: { PATH: process.env['PATH'], HOME: directory, LANG: 'C.UTF-8' },
      encoding: 'utf8'
    })
    return stdout
  }
  const remote = 's3://media/ws-1/s3cmd'

  it('uploads in parts, lists, downloads, continues and deletes', async () => {
    const film = join(directory, 'card', 'DJI_0002.MP4')
    await s3cmd('put', film, `${remote}/film.MP4`)
    await s3cmd('put', join(directory, 'card', 'DJI 0001+é.JPG'), `${remote}/DJI 0001+é.JPG`)
    const listing = await s3cmd('ls', `${remote}/`)
    expect(listing).toMatch(/film\.MP4/)
    expect(listing).toMatch(/DJI 0001\+é\.JPG/)
    const target = join(directory, 'back.MP4')
    await writeFile(target, (await readFile(film)).subarray(0, 3 * MIB))
    await s3cmd('get', '--continue', `${remote}/film.MP4`, target)
    expect(await md5(target)).toBe(await md5(film))
    await s3cmd('mv', `${remote}/film.MP4`, `${remote}/moved.MP4`)
    await s3cmd('del', '--recursive', '--force', `${remote}/`)
    expect((await s3cmd('ls', `${remote}/`)).trim()).toBe('')
  })
})

import assert from 'node:assert/strict'
import { cp, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Check, type Client, type FoundClient, runChecks, type Site } from './client.ts'
import { assertSameFiles, MIB, noise } from './files.ts'
import { candidates, ProgramError, type ProgramOptions, runProgram, versionOf } from './programs.ts'

export const rclone: Client = {
  name: 'rclone',
  foundBy: '`rclone` in PATH, or FLIGHTCASE_CLIENT_RCLONE',
  async find() {
    const found: FoundClient[] = []
    for (const program of candidates('FLIGHTCASE_CLIENT_RCLONE', 'rclone')) {
      const version = await versionOf(program, ['version'], /^rclone v(\S+)/)
      if (version !== null) found.push({ version, run: (site, tell) => runChecks(site, tell, checksOf(program, site)) })
    }
    return found
  }
}

function checksOf(program: string, site: Site): Check[] {
  const environment = {
    RCLONE_CONFIG: join(site.directory, 'none.conf'),
    RCLONE_CONFIG_FC_TYPE: 's3',
    RCLONE_CONFIG_FC_PROVIDER: 'Minio',
    RCLONE_CONFIG_FC_ENDPOINT: site.endpoint,
    RCLONE_CONFIG_FC_REGION: site.region,
    RCLONE_CONFIG_FC_ACCESS_KEY_ID: site.credentials.accessKeyId,
    RCLONE_CONFIG_FC_SECRET_ACCESS_KEY: site.credentials.secretAccessKey,
    RCLONE_CONFIG_FC_UPLOAD_CUTOFF: '5Mi',
    RCLONE_CONFIG_FC_CHUNK_SIZE: '5Mi',
    // What may only be used below a prefix may not create the bucket.
    ...(site.credentials.sessionToken === undefined
      ? {}
      : { RCLONE_CONFIG_FC_SESSION_TOKEN: site.credentials.sessionToken, RCLONE_CONFIG_FC_NO_CHECK_BUCKET: 'true' })
  }
  const run = (args: string[], options: Partial<ProgramOptions> = {}) =>
    runProgram(program, ['--retries', '1', '--low-level-retries', '2', ...args], {
      home: site.directory,
      env: environment,
      ...options
    })
  const remote = `fc:${site.bucket}/${site.prefix}`
  const card = site.card.directory
  const list = async (path: string) => (await run(['lsf', '-R', '--files-only', path])).trim().split('\n').sort()
  const both = ['long-term', 'session'] as const

  return [
    {
      name: 'copies a card and checks it byte by byte',
      with: both,
      async run() {
        await run(['copy', card, `${remote}/card`])
        await run(['check', '--download', card, `${remote}/card`])
        assert.deepEqual(await list(`${remote}/card`), site.card.paths)
      }
    },
    {
      name: 'brings bytes, names and times back',
      with: both,
      async run() {
        const back = join(site.directory, 'back')
        await run(['copy', `${remote}/card`, back])
        await assertSameFiles(card, back)
        for (const path of site.card.paths)
          assert.equal((await stat(join(back, path))).mtimeMs, (await stat(join(card, path))).mtimeMs, path)
      }
    },
    {
      name: 'synchronises changes, twice without effect',
      with: both,
      async run() {
        const changed = join(site.directory, 'changed')
        await cp(card, changed, { recursive: true, preserveTimestamps: true })
        await rm(join(changed, 'DJI_0001.JPG'))
        await writeFile(join(changed, 'new.txt'), 'new')
        await run(['sync', changed, `${remote}/card`])
        await run(['check', '--download', changed, `${remote}/card`])
        await run(['sync', changed, `${remote}/card`])
        assert.ok((await list(`${remote}/card`)).includes('new.txt'))
        assert.ok(!(await list(`${remote}/card`)).includes('DJI_0001.JPG'))
      }
    },
    {
      name: 'uploads a large file in parts of 5 MiB',
      with: both,
      async run() {
        await run(['copyto', site.film.file, `${remote}/film/film.MP4`])
        await run(['check', '--download', site.film.file, `${remote}/film/`])
      }
    },
    {
      name: 'copies and moves it on the server, also in parts',
      with: both,
      async run() {
        await run(['--s3-copy-cutoff', '8Mi', 'copyto', `${remote}/film/film.MP4`, `${remote}/moved/film.MP4`])
        await run(['moveto', `${remote}/film/film.MP4`, `${remote}/renamed/film.MP4`])
        for (const folder of ['moved', 'renamed'])
          await run(['check', '--download', site.film.file, `${remote}/${folder}/`])
        assert.deepEqual(await list(`${remote}/film`), [''])
      }
    },
    {
      name: 'reads a range',
      with: both,
      async run() {
        const clip = `${remote}/card/${site.card.clip}`
        assert.equal((await run(['cat', '--offset', String(6 * MIB), '--count', '4', clip])).length, 4)
        assert.equal(await run(['cat', '--offset', '2', '--count', '3', `${remote}/card/new.txt`]), 'w')
      }
    },
    {
      name: 'uploads a stream of unknown length',
      with: both,
      async run() {
        const bytes = noise(1, 12 * MIB)
        await run(['rcat', `${remote}/stream.bin`], { input: bytes })
        const file = join(site.directory, 'stream.bin')
        await writeFile(file, bytes)
        await run(['check', '--download', file, remote])
      }
    },
    {
      name: 'makes and removes a bucket',
      with: ['long-term'],
      async run() {
        await run(['mkdir', `fc:${bucketOf(site)}`])
        await run(['rmdir', `fc:${bucketOf(site)}`])
      }
    },
    {
      name: 'deletes everything',
      with: both,
      async run() {
        await run(['delete', remote])
        assert.deepEqual(await list(remote), [''])
      }
    },
    {
      name: 'uploads without looking, small and in parts',
      with: ['upload-only'],
      async run() {
        for (const file of [join(card, 'DJI_0001.JPG'), join(card, site.card.clip)])
          await run(['--s3-no-head', '--no-check-dest', 'copyto', file, `${remote}/${site.card.clip}`])
      }
    },
    {
      name: 'is refused to read and to delete',
      with: ['upload-only'],
      async run() {
        await assert.rejects(run(['cat', `${remote}/${site.card.clip}`]), saysDenied)
        await assert.rejects(run(['deletefile', `${remote}/${site.card.clip}`]))
      }
    },
    {
      name: 'is refused outside of its prefix',
      with: ['session', 'upload-only'],
      async run() {
        const foreign = `fc:${site.bucket}/${site.foreignKey}`
        const upload = ['--s3-no-head', '--no-check-dest', 'copyto', join(card, 'DJI_0001.JPG'), foreign]
        await assert.rejects(run(upload), saysDenied)
        // It takes what it may not look at for an empty folder.
        assert.equal(await run(['cat', foreign]).catch(() => ''), '')
      }
    }
  ]
}

const saysDenied = (error: unknown) => error instanceof ProgramError && /AccessDenied|403|Forbidden/.test(error.output)
const bucketOf = (site: Site) => site.prefix.replaceAll(/[^a-z0-9]+/g, '-')

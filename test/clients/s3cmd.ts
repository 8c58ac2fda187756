import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Check, type Client, type FoundClient, runChecks, type Site } from './client.ts'
import { MIB, sha256OfFile } from './files.ts'
import { candidates, ProgramError, runProgram, versionOf } from './programs.ts'

export const s3cmd: Client = {
  name: 's3cmd',
  foundBy: '`s3cmd` in PATH, or FLIGHTCASE_CLIENT_S3CMD',
  async find() {
    const found: FoundClient[] = []
    for (const program of candidates('FLIGHTCASE_CLIENT_S3CMD', 's3cmd')) {
      const version = await versionOf(program, ['--version'], /version (\S+)/)
      if (version !== null)
        found.push({ version, run: async (site, tell) => runChecks(site, tell, await checksOf(program, site)) })
    }
    return found
  }
}

async function checksOf(program: string, site: Site): Promise<Check[]> {
  const settings = {
    access_key: site.credentials.accessKeyId,
    secret_key: site.credentials.secretAccessKey,
    host_base: site.host,
    host_bucket: site.host,
    bucket_location: site.region,
    use_https: 'False',
    signature_v2: 'False',
    multipart_chunk_size_mb: '15',
    max_retries: '1',
    ...(site.credentials.sessionToken === undefined ? {} : { access_token: site.credentials.sessionToken })
  }
  const config = join(site.directory, 's3cfg')
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  await writeFile(config, `[default]\n${lines.join('')}`)
  const run = (...args: string[]) =>
    runProgram(program, ['--config', config, '--no-progress', ...args], {
      home: site.directory
    })
  const remote = `s3://${site.bucket}/${site.prefix}`
  const card = site.card.directory
  const clip = join(card, site.card.clip)
  const both = ['long-term', 'session'] as const
  const linesOf = async (path: string) => {
    const text = (await run('ls', '--recursive', path)).trim()
    return text === '' ? [] : text.split('\n')
  }
  const sameAsClip = async (path: string) => {
    const back = join(site.directory, 'back.MP4')
    await run('get', '--force', path, back)
    assert.equal(await sha256OfFile(back), await sha256OfFile(clip))
  }

  return [
    {
      name: 'puts a file in parts of 15 MB',
      with: both,
      async run() {
        await run('put', clip, `${remote}/clip.MP4`)
        await sameAsClip(`${remote}/clip.MP4`)
      }
    },
    {
      name: 'synchronises a card with awkward names, up and down',
      with: both,
      async run() {
        await run('sync', `${card}/`, `${remote}/card/`)
        const listed = await linesOf(`${remote}/card/`)
        for (const path of site.card.paths)
          assert.ok(
            listed.some((line) => line.endsWith(`/card/${path}`)),
            `${path} in ${listed.join('\n')}`
          )
        assert.equal(listed.length, site.card.paths.length)
        const back = join(site.directory, 'card')
        await run('sync', `${remote}/card/`, `${back}/`)
        for (const path of site.card.paths)
          assert.equal(await sha256OfFile(join(back, path)), await sha256OfFile(join(card, path)), path)
      }
    },
    {
      name: 'lists and adds up',
      with: both,
      async run() {
        assert.match(await run('ls', `${remote}/`), /DIR .*\/card\/\n[\s\S]*\/clip\.MP4/)
        const { length } = await readFile(clip)
        assert.match(await run('du', `${remote}/clip.MP4`), new RegExp(`^\\s*${length}\\s+1 object`))
      }
    },
    {
      // Asks for the rules of the bucket too.
      name: 'tells about an object',
      with: ['long-term'],
      async run() {
        assert.match(await run('info', `${remote}/clip.MP4`), /File size:\s+\d+/)
      }
    },
    {
      name: 'continues a download',
      with: both,
      async run() {
        const target = join(site.directory, 'continued.MP4')
        await writeFile(target, (await readFile(clip)).subarray(0, 3 * MIB))
        await run('get', '--continue', `${remote}/clip.MP4`, target)
        assert.equal(await sha256OfFile(target), await sha256OfFile(clip))
      }
    },
    {
      name: 'copies and moves on the server',
      with: both,
      async run() {
        await run('cp', `${remote}/clip.MP4`, `${remote}/copy +é.MP4`)
        await run('mv', `${remote}/copy +é.MP4`, `${remote}/moved.MP4`)
        await sameAsClip(`${remote}/moved.MP4`)
        assert.equal((await linesOf(`${remote}/copy`)).length, 0)
      }
    },
    {
      name: 'gets a clear refusal of a link signed by version 2',
      with: both,
      onlyOurs: true,
      async run() {
        const url = (await run('signurl', `${remote}/moved.MP4`, '+600')).trim()
        const answer = await fetch(url)
        assert.equal(answer.status, 400)
        assert.match(await answer.text(), /AWS4-HMAC-SHA256/)
      }
    },
    {
      name: 'makes and removes a bucket',
      with: ['long-term'],
      async run() {
        const bucket = `s3://${site.prefix.replaceAll(/[^a-z0-9]+/g, '-')}`
        await run('mb', bucket)
        assert.match(await run('ls'), new RegExp(bucket))
        await run('rb', bucket)
      }
    },
    {
      name: 'deletes in batches',
      with: both,
      async run() {
        await run('del', '--recursive', '--force', `${remote}/`)
        assert.deepEqual(await linesOf(`${remote}/`), [])
      }
    },
    {
      name: 'uploads, small and in parts',
      with: ['upload-only'],
      async run() {
        await run('put', join(card, 'DJI_0001.JPG'), `${remote}/DJI_0001.JPG`)
        await run('put', clip, `${remote}/clip.MP4`)
      }
    },
    {
      name: 'is refused to read and to delete',
      with: ['upload-only'],
      async run() {
        await assert.rejects(run('get', `${remote}/DJI_0001.JPG`, join(site.directory, 'x')), saysDenied)
        await assert.rejects(run('del', `${remote}/DJI_0001.JPG`), saysDenied)
      }
    },
    {
      name: 'is refused outside of its prefix',
      with: ['session', 'upload-only'],
      async run() {
        const foreign = `s3://${site.bucket}/${site.foreignKey}`
        await assert.rejects(run('put', join(card, 'DJI_0001.JPG'), foreign), saysDenied)
        await assert.rejects(run('get', foreign, join(site.directory, 'y')), saysDenied)
      }
    }
  ]
}

const saysDenied = (error: unknown) => error instanceof ProgramError && /AccessDenied|403/.test(error.output)

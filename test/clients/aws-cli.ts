import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Check, type Client, type FoundClient, runChecks, type Site } from './client.ts'
import { assertSameFiles, MIB, noise, sha256OfFile } from './files.ts'
import { candidates, ProgramError, runProgram, versionOf } from './programs.ts'

export const awsCli: Client = {
  name: 'aws-cli',
  foundBy: '`aws` in PATH, or FLIGHTCASE_CLIENT_AWS_CLI',
  async find() {
    const found: FoundClient[] = []
    for (const program of candidates('FLIGHTCASE_CLIENT_AWS_CLI', 'aws')) {
      const version = await versionOf(program, ['--version'], /aws-cli\/(\S+)/)
      if (version !== null) found.push({ version, run: (site, tell) => runChecks(site, tell, checksOf(program, site)) })
    }
    return found
  }
}

function checksOf(program: string, site: Site): Check[] {
  const { accessKeyId, secretAccessKey, sessionToken } = site.credentials
  const env = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
    AWS_DEFAULT_REGION: site.region,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '2',
    AWS_CONFIG_FILE: join(site.directory, 'none'),
    AWS_PAGER: ''
  }
  const at = async (endpoint: string, args: string[], input?: Buffer) =>
    runProgram(program, ['--endpoint-url', endpoint, '--output', 'json', ...args], {
      home: site.directory,
      env: { ...env, ...(site.secure ? { AWS_CA_BUNDLE: site.secure.caFile } : {}) },
      ...(input ? { input } : {})
    })
  const run = (...args: string[]) => at(site.endpoint, args)
  const remote = `s3://${site.bucket}/${site.prefix}`
  const object = (key: string) => ['--bucket', site.bucket, '--key', `${site.prefix}/${key}`]
  const card = site.card.directory
  const clip = join(card, site.card.clip)
  const picture = join(card, 'DJI_0001.JPG')
  const both = ['long-term', 'session'] as const

  const streams = async (endpoint: string) => {
    const bytes = noise(2, 20 * MIB)
    await at(endpoint, ['s3', 'cp', '-', `${remote}/stream.bin`], bytes)
    const back = join(site.directory, 'stream.bin')
    await at(endpoint, ['s3', 'cp', `${remote}/stream.bin`, back])
    assert.ok((await readFile(back)).equals(bytes))
  }

  return [
    {
      name: 's3 sync up and down, twice without effect',
      with: both,
      async run() {
        await run('s3', 'sync', card, `${remote}/card`)
        assert.equal((await run('s3', 'sync', card, `${remote}/card`)).trim(), '')
        const back = join(site.directory, 'back')
        await run('s3', 'sync', `${remote}/card`, back)
        await assertSameFiles(card, back)
      }
    },
    {
      name: 's3 cp of a large file, up, on the server and down',
      with: both,
      async run() {
        await run('s3', 'cp', site.film.file, `${remote}/film.MP4`)
        await run('s3', 'cp', `${remote}/film.MP4`, `${remote}/copied.MP4`)
        const back = join(site.directory, 'film.MP4')
        await run('s3', 'cp', `${remote}/copied.MP4`, back)
        assert.equal(await sha256OfFile(back), await sha256OfFile(site.film.file))
        await rm(back)
      }
    },
    { name: 's3 cp of a stream', with: both, run: () => streams(site.endpoint) },
    ...(site.secure ? [overTls('s3 cp of a stream', site.secure.endpoint)] : []),
    {
      name: 's3 ls and s3 mv',
      with: both,
      async run() {
        await run('s3', 'mv', `${remote}/copied.MP4`, `${remote}/moved é+.MP4`)
        const listed = await run('s3', 'ls', '--recursive', '--summarize', `${remote}/`)
        assert.match(listed, /moved é\+\.MP4/)
        assert.doesNotMatch(listed, /copied\.MP4/)
        assert.match(listed, new RegExp(`Total Objects: ${site.card.paths.length + 3}`))
      }
    },
    {
      name: 's3api put-object only when absent, and get-object only when unchanged',
      with: both,
      async run() {
        const put = ['s3api', 'put-object', ...object('once.JPG'), '--body', picture, '--if-none-match', '*']
        const { ETag } = JSON.parse(await run(...put)) as { ETag: string }
        await assert.rejects(run(...put), /PreconditionFailed/)
        const back = join(site.directory, 'once.JPG')
        await run('s3api', 'get-object', ...object('once.JPG'), '--if-match', ETag, back)
        await assert.rejects(run('s3api', 'get-object', ...object('once.JPG'), '--if-none-match', ETag, back), /304/)
        await assert.rejects(
          run('s3api', 'get-object', ...object('once.JPG'), '--if-match', '"other"', back),
          /PreconditionFailed/
        )
      }
    },
    {
      name: 's3api put-object with checksums',
      with: both,
      async run() {
        for (const algorithm of ['CRC32', 'SHA1', 'SHA256']) {
          const put = [...object(algorithm), '--body', clip, '--checksum-algorithm', algorithm]
          const stored = JSON.parse(await run('s3api', 'put-object', ...put)) as Record<string, string>
          const head = JSON.parse(
            await run('s3api', 'head-object', ...object(algorithm), '--checksum-mode', 'ENABLED')
          ) as Record<string, string>
          assert.ok(stored[`Checksum${algorithm}`])
          assert.equal(head[`Checksum${algorithm}`], stored[`Checksum${algorithm}`])
        }
      }
    },
    {
      name: 's3 presign',
      with: both,
      async run() {
        await run('configure', 'set', 'default.s3.signature_version', 's3v4').catch(() => '')
        const url = (await run('s3', 'presign', `${remote}/once.JPG`)).trim()
        if (!url.includes('X-Amz-Signature')) return assert.equal((await fetch(url)).status, site.isOurs ? 400 : 200)
        assert.equal(await (await fetch(url)).text(), 'small picture')
      }
    },
    {
      name: 'sts get-caller-identity',
      with: both,
      onlyOurs: true,
      async run() {
        const { Arn } = JSON.parse(await run('sts', 'get-caller-identity')) as { Arn: string }
        assert.match(Arn, site.kind === 'session' ? /assumed-role\/.*\/client-matrix$/ : /user\//)
      }
    },
    {
      name: 'sts assume-role',
      with: ['long-term'],
      async run() {
        const args = ['--role-arn', 'arn:aws:iam::000000000000:role/clients', '--role-session-name', 'cli']
        const { Credentials } = JSON.parse(await run('sts', 'assume-role', ...args)) as {
          Credentials: Record<string, string>
        }
        assert.ok(Credentials['AccessKeyId'] && Credentials['SecretAccessKey'] && Credentials['SessionToken'])
      }
    },
    {
      name: 's3 mb and s3 rb',
      with: ['long-term'],
      async run() {
        const bucket = `s3://${site.prefix.replaceAll(/[^a-z0-9]+/g, '-')}`
        await run('s3', 'mb', bucket)
        await run('s3', 'rb', bucket)
      }
    },
    {
      name: 's3 rm of everything',
      with: both,
      async run() {
        await run('s3', 'rm', '--recursive', `${remote}/`)
        // Nothing listed is exit code 1.
        await assert.rejects(run('s3', 'ls', '--recursive', `${remote}/`))
      }
    },
    {
      name: 's3 cp, small, in parts and from a stream',
      with: ['upload-only'],
      async run() {
        await run('s3', 'cp', picture, `${remote}/picture.JPG`)
        await run('s3', 'cp', clip, `${remote}/clip.MP4`)
        await at(site.endpoint, ['s3', 'cp', '-', `${remote}/stream.bin`], noise(3, 9 * MIB))
      }
    },
    {
      name: 'is refused to read, to list and to delete',
      with: ['upload-only'],
      async run() {
        await assert.rejects(run('s3', 'cp', `${remote}/picture.JPG`, join(site.directory, 'x')), saysDenied)
        await assert.rejects(run('s3', 'ls', `${remote}/`), saysDenied)
        await assert.rejects(run('s3', 'rm', `${remote}/picture.JPG`), saysDenied)
      }
    },
    {
      name: 'is refused outside of its prefix',
      with: ['session', 'upload-only'],
      async run() {
        const foreign = `s3://${site.bucket}/${site.foreignKey}`
        await assert.rejects(run('s3', 'cp', picture, foreign), saysDenied)
        await assert.rejects(run('s3', 'cp', foreign, join(site.directory, 'y')), saysDenied)
        await assert.rejects(run('s3', 'rm', foreign), saysDenied)
      }
    },
    {
      name: 'may not pass its rights on',
      with: ['session', 'upload-only'],
      async run() {
        const args = ['--role-arn', 'arn:aws:iam::000000000000:role/clients', '--role-session-name', 'cli']
        await assert.rejects(run('sts', 'assume-role', ...args), saysDenied)
      }
    }
  ]

  function overTls(name: string, endpoint: string): Check {
    return { name: `${name} over https`, with: both, run: () => streams(endpoint) }
  }
}

const saysDenied = (error: unknown) => error instanceof ProgramError && /AccessDenied|403/.test(error.output)

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Check, type Client, type FoundClient, runChecks, type Site } from './client.ts'
import { assertSameFiles, MIB, noise, sha256OfFile } from './files.ts'
import { candidates, ProgramError, runProgram, versionOf } from './programs.ts'

export const mc: Client = {
  name: 'mc',
  foundBy: 'FLIGHTCASE_CLIENT_MC',
  async find() {
    const found: FoundClient[] = []
    // Not by its name in PATH: that is Midnight Commander elsewhere.
    for (const program of candidates('FLIGHTCASE_CLIENT_MC')) {
      const version = await versionOf(program, ['--version'], /version (\S+)/)
      if (version !== null) found.push({ version, run: (site, tell) => runChecks(site, tell, checksOf(program, site)) })
    }
    return found
  }
}

function checksOf(program: string, site: Site): Check[] {
  const { accessKeyId, secretAccessKey, sessionToken } = site.credentials
  const keys = [accessKeyId, secretAccessKey, ...(sessionToken === undefined ? [] : [sessionToken])]
  const login = keys.map(encodeURIComponent).join(':')
  const env = {
    MC_HOST_fc: site.endpoint.replace('//', `//${login}@`),
    ...(site.secure ? { MC_HOST_secure: site.secure.endpoint.replace('//', `//${login}@`) } : {}),
    SSL_CERT_FILE: site.secure?.caFile ?? ''
  }
  const run = (args: string[], input?: Buffer) =>
    runProgram(program, ['--config-dir', join(site.directory, 'mc'), '--quiet', '--no-color', ...args], {
      home: site.directory,
      env,
      ...(input ? { input } : {})
    })
  const at = (alias: string) => `${alias}/${site.bucket}/${site.prefix}`
  const remote = at('fc')
  const card = site.card.directory
  const clip = join(card, site.card.clip)
  const both = ['long-term', 'session'] as const
  const copies = async (alias: string) => {
    await run(['cp', site.film.file, `${at(alias)}/film.MP4`])
    const back = join(site.directory, `film-${alias}.MP4`)
    await run(['cp', `${at(alias)}/film.MP4`, back])
    assert.equal(await sha256OfFile(back), await sha256OfFile(site.film.file))
  }
  const pipes = async (alias: string) => {
    const bytes = noise(4, 20 * MIB)
    await run(['pipe', `${at(alias)}/piped.bin`], bytes)
    const back = join(site.directory, `piped-${alias}.bin`)
    await run(['cp', `${at(alias)}/piped.bin`, back])
    assert.ok((await readFile(back)).equals(bytes))
  }

  return [
    { name: 'cp of a large file, up and down', with: both, run: () => copies('fc') },
    { name: 'pipe of a stream', with: both, run: () => pipes('fc') },
    ...(site.secure
      ? [
          { name: 'cp of a large file over https', with: both, run: () => copies('secure') },
          { name: 'pipe of a stream over https', with: both, run: () => pipes('secure') }
        ]
      : []),
    {
      name: 'mirror of a card, both ways',
      with: both,
      async run() {
        await run(['mirror', card, `${remote}/card`])
        await run(['mirror', card, `${remote}/card`])
        const back = join(site.directory, 'back')
        await run(['mirror', `${remote}/card`, back])
        await assertSameFiles(card, back)
        assert.equal((await run(['diff', card, `${remote}/card`])).trim(), '')
      }
    },
    {
      name: 'cp, mv and stat on the server',
      with: both,
      async run() {
        await run(['cp', `${remote}/film.MP4`, `${remote}/copied.MP4`])
        await run(['mv', `${remote}/copied.MP4`, `${remote}/moved é+.MP4`])
        assert.match(await run(['stat', `${remote}/moved é+.MP4`]), /Size/)
        await assert.rejects(run(['stat', `${remote}/copied.MP4`]))
      }
    },
    {
      name: 'ls, also of versions, du and find',
      with: both,
      async run() {
        assert.match(await run(['ls', '--recursive', `${remote}/`]), /moved é\+\.MP4/)
        assert.match(await run(['ls', '--versions', `${remote}/`]), /film\.MP4/)
        assert.match(await run(['du', `${remote}/`]), /objects/)
        assert.match(await run(['find', `${remote}/`, '--name', '*.JPG']), /DJI_0001\.JPG/)
      }
    },
    {
      name: 'cat and head',
      with: both,
      async run() {
        assert.equal(await run(['cat', `${remote}/card/DJI_0001.JPG`]), 'small picture')
        assert.equal(await run(['cat', '--offset', '6', `${remote}/card/DJI_0001.JPG`]), 'picture')
      }
    },
    {
      name: 'share download',
      with: both,
      async run() {
        const said = await run(['share', 'download', '--json', '--expire', '1h', `${remote}/card/DJI_0001.JPG`])
        const { share } = JSON.parse(said) as { share: string }
        assert.equal(await (await fetch(share)).text(), 'small picture')
      }
    },
    {
      name: 'mb and rb',
      with: ['long-term'],
      async run() {
        const bucket = `fc/${site.prefix.replaceAll(/[^a-z0-9]+/g, '-')}`
        await run(['mb', bucket])
        await run(['rb', bucket])
      }
    },
    {
      name: 'rm of everything',
      with: both,
      async run() {
        await run(['rm', '--recursive', '--force', `${remote}/`])
        assert.equal((await run(['ls', '--recursive', `${remote}/`])).trim(), '')
      }
    },
    {
      name: 'pipe, small and in parts',
      with: ['upload-only'],
      async run() {
        await run(['pipe', `${remote}/picture.JPG`], Buffer.from('picture'))
        await run(['pipe', `${remote}/clip.MP4`], await readFile(clip))
      }
    },
    {
      name: 'is refused to read, to list and to delete',
      with: ['upload-only'],
      async run() {
        await assert.rejects(run(['cat', `${remote}/picture.JPG`]), saysDenied)
        await assert.rejects(run(['ls', `${remote}/`]), saysDenied)
        await assert.rejects(run(['rm', `${remote}/picture.JPG`]), saysDenied)
      }
    },
    {
      name: 'is refused outside of its prefix',
      with: ['session', 'upload-only'],
      async run() {
        const foreign = `fc/${site.bucket}/${site.foreignKey}`
        await assert.rejects(run(['pipe', foreign], Buffer.from('x')), saysDenied)
        await assert.rejects(run(['cat', foreign]), saysDenied)
      }
    }
  ]
}

const saysDenied = (error: unknown) =>
  error instanceof ProgramError && /Access Denied|Insufficient permissions/.test(error.output)

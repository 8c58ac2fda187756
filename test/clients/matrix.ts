import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client, CredentialKind, Outcome, Site } from './client.ts'
import { MIB, writeCard, writeFilm } from './files.ts'
import type { ClientServer } from './server.ts'

export interface MatrixResult {
  client: string
  version: string
  credentials: CredentialKind
  check: string
  outcome: Outcome
}

const KINDS = ['long-term', 'session', 'upload-only'] as const

/** Runs every client that is found with each kind of credentials; tells each result as it comes, and the clients that are absent. */
export async function runMatrix(options: {
  clients: readonly Client[]
  server: ClientServer
  filmMib: number
  onResult(result: MatrixResult): void
  onAbsent(client: Client): void
}): Promise<void> {
  const { clients, server, onResult, onAbsent } = options
  const directory = await mkdtemp(join(tmpdir(), 'flightcase-clients-'))
  try {
    const film = { file: join(directory, 'film.MP4'), sizeBytes: options.filmMib * MIB }
    await writeFilm(film.file, film.sizeBytes)
    const card = await writeCard(join(directory, 'card'))
    for (const client of clients) {
      const found = await client.find()
      if (found.length === 0) onAbsent(client)
      for (const [index, { version, run }] of found.entries())
        for (const kind of KINDS) {
          const own = `${client.name}${index + 1}-${kind}`
          const site = await siteOf(server, kind, own, { directory: join(directory, own), card, film })
          const tell = (check: string, outcome: Outcome) =>
            onResult({ client: client.name, version, credentials: kind, check, outcome })
          await run(site, tell)
          await rm(site.directory, { recursive: true, force: true })
        }
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function siteOf(
  server: ClientServer,
  kind: CredentialKind,
  name: string,
  files: Pick<Site, 'directory' | 'card' | 'film'>
): Promise<Site> {
  await mkdir(files.directory)
  const prefix = `${server.prefix}/${name}`
  const { endpoint, region, bucket } = server.keys
  return {
    endpoint,
    host: new URL(endpoint).host,
    secure: server.secure,
    region,
    bucket,
    prefix,
    foreignKey: server.foreignKey,
    kind,
    credentials: await server.credentialsOf(kind, prefix),
    turnServerClock: server.turnClock,
    isOurs: server.isOurs,
    ...files
  }
}

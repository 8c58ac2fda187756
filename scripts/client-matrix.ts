import { Command, InvalidArgumentError } from 'commander'
import { awsCli } from '../test/clients/aws-cli.ts'
import { awsSdkV2 } from '../test/clients/aws-sdk-v2.ts'
import { awsSdkV3 } from '../test/clients/aws-sdk-v3.ts'
import { boto3 } from '../test/clients/boto3.ts'
import type { Client } from '../test/clients/client.ts'
import { type MatrixResult, runMatrix } from '../test/clients/matrix.ts'
import { mc } from '../test/clients/mc.ts'
import { minioGo } from '../test/clients/minio-go.ts'
import { minioJava } from '../test/clients/minio-java.ts'
import { minioJs } from '../test/clients/minio-js.ts'
import { rclone } from '../test/clients/rclone.ts'
import { s3cmd } from '../test/clients/s3cmd.ts'
import { ClientServer } from '../test/clients/server.ts'

// Runs clients of others against the embedded endpoint, each with a long-term key, with an STS key for one prefix, and with one
// that may only upload there.

const CLIENTS: readonly Client[] = [awsSdkV3, awsSdkV2, awsCli, boto3, mc, minioGo, minioJava, minioJs, rclone, s3cmd]
const LARGE_FILE_MIB = 300

const flags = new Command('npm run clients --')
  .description(
    'Run S3 clients of others against the embedded object store, or against the server of FLIGHTCASE_TEST_S3_ENDPOINT, _ACCESS_KEY, _SECRET_KEY and _BUCKET. Clients that are not found are skipped; docs/conformance.md says how to name them.'
  )
  .option('--only <names>', `these of ${CLIENTS.map(({ name }) => name).join(', ')}`, clientsNamed, CLIENTS)
  .option('--large-mib <number>', 'size of the large file', wholeNumber, LARGE_FILE_MIB)
  .option('--json', 'print the result as JSON')
  .parse()
  .opts<{ only: readonly Client[]; largeMib: number; json?: boolean }>()

const results: MatrixResult[] = []
const absent: Client[] = []
const server = await ClientServer.open()
try {
  if (!server.secure) note('SKIPPED: everything over https (openssl is not found)')
  await runMatrix({
    clients: flags.only,
    server,
    filmMib: flags.largeMib,
    onResult(result) {
      results.push(result)
      note(describe(result))
    },
    onAbsent(client) {
      absent.push(client)
      note(`SKIPPED: ${client.name} (${client.foundBy} is not found)`)
    }
  })
} finally {
  await server.close()
}
if (flags.json)
  process.stdout.write(`${JSON.stringify({ results, skipped: absent.map(({ name }) => name) }, null, 2)}\n`)
else process.stdout.write(tableOf(results))
process.exitCode = results.some(({ outcome }) => outcome.result === 'failed') ? 1 : 0

function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

function describe({ client, version, credentials, check, outcome }: MatrixResult): string {
  const line = `${outcome.result.padEnd(8)} ${client} ${version}, ${credentials}: ${check}`
  return outcome.result === 'passed' ? line : `${line} (${outcome.detail})`
}

/** One line for each client, version and kind of credentials. */
function tableOf(all: readonly MatrixResult[]): string {
  const rows = Map.groupBy(all, ({ client, version, credentials }) => [client, version, credentials].join('\t'))
  const columns = ['passed', 'deviates', 'skipped', 'failed'] as const
  const lines = [...rows].map(([key, of]) => [
    ...key.split('\t'),
    ...columns.map((column) => String(of.filter(({ outcome }) => outcome.result === column).length))
  ])
  const table = [['client', 'version', 'credentials', ...columns], ...lines]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? []
  return table.map((line) => `${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`).join('')
}

function clientsNamed(text: string): readonly Client[] {
  return text.split(',').map((wanted) => {
    const client = CLIENTS.find(({ name }) => name === wanted)
    if (!client) throw new InvalidArgumentError(`there is no client ${wanted}`)
    return client
  })
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('expected a whole number')
  return Number(text)
}

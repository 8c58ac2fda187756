import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { EndpointHarness, type TestCredentials } from '../src/daemon/embedded-store/endpoint/endpoint-harness.ts'
import { EXPECTED_DEVIATIONS } from '../test/s3-tests/deviations.ts'
import { LinkSigningProxy } from '../test/s3-tests/link-signing-proxy.ts'
import { readResults, type TestResult } from '../test/s3-tests/read-results.ts'

// Runs ceph/s3-tests against the embedded endpoint: the tests it has to pass, and those it fails on purpose.

const flags = new Command('npm run s3-tests --')
  .description(
    'Run ceph/s3-tests against the embedded object store. S3_TESTS_DIR names a checkout, S3_TESTS_PYTHON a Python that has its requirements (python3 unless given).'
  )
  .addOption(
    new Option('--signatures <where>', 'where requests carry their signature')
      .choices(['header', 'query'])
      .default('header')
  )
  .option('--json', 'print the result as JSON')
  .parse()
  .opts<{ signatures: 'header' | 'query'; json?: boolean }>()

const checkout = process.env['S3_TESTS_DIR']
if (checkout === undefined || checkout === '') {
  process.stdout.write('SKIPPED: ceph/s3-tests (S3_TESTS_DIR is not set)\n')
} else {
  const directory = await mkdtemp(join(tmpdir(), 'flightcase-s3-tests-'))
  const endpoint = await EndpointHarness.open()
  try {
    process.exitCode = await run(checkout, directory, endpoint)
  } finally {
    await endpoint.dispose()
    await rm(directory, { recursive: true, force: true })
  }
}

async function run(suite: string, directory: string, endpoint: EndpointHarness): Promise<number> {
  const users = ['main', 'alt', 'tenant'].map((ownerId) => ({ ownerId, ...endpoint.user({ name: ownerId, ownerId }) }))
  const proxy = flags.signatures === 'query' ? await LinkSigningProxy.open(endpoint, users) : undefined
  try {
    const configuration = join(directory, 's3tests.conf')
    await writeFile(configuration, configurationFor(proxy?.port ?? endpoint.port, users))
    const mustPass = await namesToPass()
    const report = join(directory, 'report.xml')
    await runPytest(suite, configuration, report, [...mustPass, ...Object.keys(EXPECTED_DEVIATIONS)])
    if (proxy) process.stderr.write(`${proxy.links} requests were signed in their query\n`)
    return tell(mustPass, readResults(await readFile(report, 'utf8')))
  } finally {
    proxy?.close()
  }
}

async function namesToPass(): Promise<string[]> {
  const lines = (await readFile(new URL('../test/s3-tests/must-pass.txt', import.meta.url), 'utf8')).split('\n')
  return lines.filter((line) => line !== '' && !line.startsWith('#'))
}

/** The suite needs users of three owners; what it says of accounts and roles concerns its own server. */
function configurationFor(port: number, users: readonly (TestCredentials & { ownerId: string })[]): string {
  const section = (name: string, { accessKeyId, secretAccessKey, ownerId }: TestCredentials & { ownerId: string }) =>
    [
      `[${name}]`,
      `access_key = ${accessKeyId}`,
      `secret_key = ${secretAccessKey}`,
      `user_id = ${ownerId}`,
      `display_name = ${ownerId}`,
      `email = ${ownerId}@example.com`,
      'tenant = none'
    ].join('\n')
  const nobody = { accessKeyId: 'NOBODY00000000000000', secretAccessKey: 'nobody', ownerId: 'nobody' }
  return [
    '[DEFAULT]',
    'host = 127.0.0.1',
    `port = ${port}`,
    'is_secure = False',
    '[fixtures]',
    'bucket prefix = fc-{random}-',
    ...users.map((user) => section(`s3 ${user.ownerId}`, user)),
    ...['iam', 'iam root', 'iam alt root'].map((name) => section(name, nobody)),
    ''
  ].join('\n')
}

async function runPytest(suite: string, configuration: string, report: string, names: string[]): Promise<void> {
  const python = process.env['S3_TESTS_PYTHON'] ?? 'python3'
  const ids = names.map((name) => `s3tests/functional/${name.replace('::', '.py::')}`)
  const child = spawn(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', `--junitxml=${report}`, ...ids], {
    cwd: suite,
    env: { ...process.env, S3TEST_CONF: configuration },
    stdio: ['ignore', flags.json ? 'ignore' : 'inherit', 'inherit']
  })
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => resolve())
  })
}

/** Prints what came out and gives the exit code: 1 when a test that has to pass did not, or never ran. */
function tell(mustPass: readonly string[], results: ReadonlyMap<string, TestResult>): number {
  const failed = mustPass.filter((name) => results.get(name) !== 'passed')
  const deviations = Object.entries(EXPECTED_DEVIATIONS).map(([name, reason]) => ({
    name,
    result: results.get(name) ?? 'not run',
    reason
  }))
  const summary = {
    signatures: flags.signatures,
    passed: mustPass.length - failed.length,
    failed: failed.map((name) => ({ name, result: results.get(name) ?? 'not run' })),
    expectedDeviations: deviations.filter(({ result }) => result !== 'passed'),
    deviationsThatPass: deviations.filter(({ result }) => result === 'passed').map(({ name }) => name)
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`)
  else {
    for (const { name, result } of summary.failed) process.stdout.write(`FAILED ${name}: ${result}\n`)
    for (const { name, reason } of summary.expectedDeviations) process.stdout.write(`deviates ${name}: ${reason}\n`)
    process.stdout.write(
      `signatures in the ${flags.signatures}: ${summary.passed} of ${mustPass.length} passed, ${failed.length} failed, ${summary.expectedDeviations.length} deviate as expected\n`
    )
  }
  return failed.length === 0 && mustPass.length > 0 ? 0 : 1
}

import { Command, InvalidArgumentError } from 'commander'
import type { ControllerEvent } from './pilot-controller.ts'

type Flags = {
  field: string
  token: string
  photos: string
  workspace: string
  device: string
  droneSerial: string
  rate?: number
  json?: boolean
}

/**
 * `flightcase demo-controller`: plays one DJI Pilot 2 controller with a folder of photos and videos. Exit code 0 when
 * every file is with the server, 1 when there is none, one failed or the server refused the controller.
 */
export function demoControllerCommand(): Command {
  return new Command('demo-controller')
    .description('Play a DJI Pilot 2 controller: upload a folder of photos and videos as one would')
    .requiredOption(
      '--field <url>',
      'field listener of the server, for example http://192.168.1.10:8700 (required)',
      parseUrl
    )
    .requiredOption('--token <token>', 'token of a controller (required)')
    .requiredOption('--photos <dir>', 'folder with JPEG, DNG, MP4 and MOV files (required)')
    .option('--workspace <id>', 'workspace to upload into', '6f1d5c52-3a0e-4f5b-9c11-2d7c64b0a8e1')
    .option('--device <id>', 'name of the controller', 'DEMO-CONTROLLER')
    .option('--drone-serial <serial>', 'serial number of the aircraft', '1581F000000DEMO')
    .option('--rate <bytes>', 'bytes per second of the radio link', parseRate)
    .option('--json', 'print one JSON object when done instead of progress')
    .action(async (flags: Flags) => {
      try {
        const counts = await play(flags)
        process.stdout.write(
          flags.json
            ? `${JSON.stringify(counts)}\n`
            : `${counts.files} files: ${counts.uploaded} uploaded, ${counts.skipped} skipped, ${counts.failed} failed\n`
        )
        if (counts.failed > 0) process.exitCode = 1
      } catch (error) {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
        process.exitCode = 1
      }
    })
}

async function play(flags: Flags) {
  // Loaded now: the other commands shall not wait for an S3 client and a metadata reader.
  const { PilotController } = await import('./pilot-controller.ts')
  const { readCard } = await import('./read-card.ts')
  const files = await readCard(flags.photos)
  const controller = new PilotController({
    fieldUrl: flags.field,
    token: flags.token,
    workspaceId: flags.workspace,
    deviceId: flags.device,
    droneSerial: flags.droneSerial,
    droneModelKey: '0-99-0',
    payloadModelKey: '1-88-0',
    photoType: 'original',
    ...(flags.rate ? { bytesPerSecond: flags.rate } : {}),
    onEvent: (event) => tell(event)
  })
  try {
    const { uploaded, skipped, failed } = await controller.offer(files)
    return { files: files.length, uploaded: uploaded.length, skipped: skipped.length, failed: failed.length }
  } finally {
    controller.close()
  }
}

function tell(event: ControllerEvent): void {
  if (event.type === 'failed') process.stderr.write(`${event.file.name}: failed, ${event.reason}\n`)
  if (event.type === 'skipped') process.stderr.write(`${event.file.name}: already there\n`)
  if (event.type === 'uploaded') process.stderr.write(`${event.file.name}: uploaded\n`)
}

function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new InvalidArgumentError('expected an http or https URL')
  return text
}

function parseRate(text: string): number {
  const rate = Number(text)
  if (!Number.isInteger(rate) || rate <= 0) throw new InvalidArgumentError('expected a whole number above 0')
  return rate
}

import type { Command } from 'commander'
import { onTestFinished, vi } from 'vitest'

/**
 * Calls a command in this process; gives its exit code and what it wrote to standard output, with `alsoErrors` to standard error as well.
 * Raises what it raises.
 */
export async function runCommand(
  command: Command,
  args: readonly string[],
  { alsoErrors = false }: { alsoErrors?: boolean } = {}
): Promise<{ code: typeof process.exitCode; text: string }> {
  const written: string[] = []
  const streams = alsoErrors ? [process.stdout, process.stderr] : [process.stdout]
  const spies = streams.map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  )
  onTestFinished(() => {
    process.exitCode = undefined
  })
  process.exitCode = undefined
  try {
    await command.parseAsync(args, { from: 'user' })
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return { code: process.exitCode ?? 0, text: written.join('') }
}

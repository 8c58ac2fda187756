import type { BenchResult, Figure } from './report.ts'

export type PartResult = { figures: Figure[]; notes: string[] }

/** Runs the parts of a bench, or `only` one of them. Throws for a part that there is not. */
export async function runParts<Options extends { only?: string | undefined }>(
  bench: string,
  parts: Record<string, (options: Options) => Promise<PartResult>>,
  options: Options
): Promise<BenchResult> {
  const names = options.only === undefined ? Object.keys(parts) : [options.only]
  const result: BenchResult = { bench, figures: [], notes: [] }
  for (const name of names) {
    const part = parts[name]
    if (!part) throw new Error(`there is no part ${name}; choose from ${Object.keys(parts).join(', ')}`)
    process.stderr.write(`${name} …\n`)
    const { figures, notes } = await part(options)
    result.figures.push(...figures)
    result.notes.push(...notes)
  }
  return result
}

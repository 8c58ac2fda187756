import { cpus, loadavg, totalmem } from 'node:os'

/** One measured figure, with the goal it is held against where there is one. */
export type Figure = {
  name: string
  value: number
  unit: string
  goal?: { atMost: number } | { atLeast: number }
}

export type BenchResult = {
  bench: string
  figures: Figure[]
  /** What a reader must know to judge the figures. */
  notes: string[]
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** The value below which a share of `values` lies, 0 < share ≤ 1. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** The machine the figures come from; load is that of the last minute. */
export function machineFacts() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    loadOneMinute: Number(loadavg()[0]?.toFixed(2))
  }
}

export function missedGoals(result: BenchResult): Figure[] {
  return result.figures.filter((figure) => reached(figure) === false)
}

export function printResult(result: BenchResult): void {
  const machine = machineFacts()
  const rows = result.figures.map((figure) => [figure.name, format(figure.value), figure.unit, ...verdict(figure)])
  const table = [['measured', 'value', 'unit', 'goal', ''], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  process.stdout.write(`\nbench ${result.bench}\n\n`)
  for (const row of table)
    process.stdout.write(
      `${row.map((cell, at) => (at === 1 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join('  ')}\n`
    )
  for (const note of result.notes) process.stdout.write(`- ${note}\n`)
  process.stdout.write(
    `\n${machine.cpu}, ${machine.cores} cores, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB, Node ${machine.node}, ` +
      `load ${machine.loadOneMinute}\n`
  )
}

function reached({ value, goal }: Figure): boolean | undefined {
  if (!goal) return undefined
  return 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast
}

function verdict(figure: Figure): [string, string] {
  const { goal } = figure
  if (!goal) return ['', '']
  return ['atMost' in goal ? `<= ${goal.atMost}` : `>= ${goal.atLeast}`, reached(figure) ? 'reached' : 'MISSED']
}

const format = (value: number) =>
  Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))

import type { AssetSummary } from '../../../../shared/api/assets.ts'

/** One line of the grid: the heading of a day, or up to `columns` tiles. */
export type GridRow = { type: 'day'; day: string } | { type: 'tiles'; assets: readonly AssetSummary[] }

/** Lays assets, already in order of their days, into lines under day headings. */
export function layOutRows(
  assets: readonly AssetSummary[],
  columns: number,
  dayOf: (asset: AssetSummary) => string
): GridRow[] {
  const rows: GridRow[] = []
  let day: string | undefined
  let line: AssetSummary[] = []
  for (const asset of assets) {
    if (dayOf(asset) !== day) {
      day = dayOf(asset)
      rows.push({ type: 'day', day })
      line = []
    }
    if (line.length === 0 || line.length === columns) {
      line = []
      rows.push({ type: 'tiles', assets: line })
    }
    line.push(asset)
  }
  return rows
}

/** The line an asset is in and its place there; null when it is in none. */
export function findInRows(rows: readonly GridRow[], assetId: string): { row: number; column: number } | null {
  for (const [row, line] of rows.entries()) {
    if (line.type !== 'tiles') continue
    const column = line.assets.findIndex(({ id }) => id === assetId)
    if (column >= 0) return { row, column }
  }
  return null
}

export type GridMove = 'left' | 'right' | 'up' | 'down' | 'pageUp' | 'pageDown' | 'first' | 'last'

const rowsPerPage = 3

/** Where a move of the keyboard leads; null when there is nothing to move to. Days are stepped over. */
export function moveInRows(rows: readonly GridRow[], fromId: string | null, move: GridMove): AssetSummary | null {
  const lines = rows.filter((row) => row.type === 'tiles')
  const first = lines[0]?.assets[0] ?? null
  const last = lines.at(-1)?.assets.at(-1) ?? null
  const at = fromId === null ? null : findInRows(lines, fromId)
  if (at === null || move === 'first') return first
  if (move === 'last') return last

  const beside = (offset: number) => {
    const all = lines.flatMap(({ assets }) => assets)
    return all[all.findIndex(({ id }) => id === fromId) + offset] ?? null
  }
  const below = (offset: number) => {
    const line = lines[Math.min(lines.length - 1, Math.max(0, at.row + offset))]
    return line?.assets[Math.min(at.column, line.assets.length - 1)] ?? null
  }
  switch (move) {
    case 'left':
      return beside(-1)
    case 'right':
      return beside(1)
    case 'up':
      return below(-1)
    case 'down':
      return below(1)
    case 'pageUp':
      return below(-rowsPerPage)
    case 'pageDown':
      return below(rowsPerPage)
  }
}

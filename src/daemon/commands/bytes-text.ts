const UNITS = ['kB', 'MB', 'GB', 'TB']

/** A number of bytes as a person writes it. */
export function bytesText(bytes: number): string {
  const step = Math.min(Math.max(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 1), UNITS.length)
  return `${(bytes / 1000 ** step).toFixed(1)} ${UNITS[step - 1]}`
}

/** A number of things: `1 file`, `2 files`. */
export function countText(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}

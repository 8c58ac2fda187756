const MAX_LINES = 20

/** Lines for a list with its heading; nothing for an empty one. What goes beyond the page is counted. */
export function listed(heading: string, items: readonly string[]): string[] {
  if (items.length === 0) return []
  const more = items.length - MAX_LINES
  return [
    heading,
    ...items.slice(0, MAX_LINES).map((item) => `  ${item}`),
    ...(more > 0 ? [`  and ${more} more (--json lists all)`] : [])
  ]
}

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { Layout } from './use-scroll-anchor.ts'

/**
 * Counts assets that arrived above the visible part of the grid. Looking at the top, or `clear`, sets it back to zero.
 */
export function useArrivals(
  scroller: RefObject<HTMLDivElement | null>,
  { rows, startsPx }: Layout
): { count: number; clear: () => void } {
  const [count, setCount] = useState(0)
  const known = useRef<ReadonlySet<string> | null>(null)
  const clear = useCallback(() => setCount(0), [])

  useLayoutEffect(() => {
    const before = known.current
    const present = new Set<string>()
    let arrived = 0
    const scrollTopPx = scroller.current?.scrollTop ?? 0
    for (const [index, row] of rows.entries()) {
      if (row.type !== 'tiles') continue
      for (const { id } of row.assets) {
        present.add(id)
        if (before !== null && !before.has(id) && (startsPx[index] ?? 0) < scrollTopPx) arrived += 1
      }
    }
    known.current = present
    if (arrived > 0) setCount((counted) => counted + arrived)
  }, [rows, startsPx, scroller])

  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const onScroll = () => {
      if (element.scrollTop <= 0) setCount(0)
    }
    element.addEventListener('scroll', onScroll, { passive: true })
    return () => element.removeEventListener('scroll', onScroll)
  }, [scroller])

  return { count, clear }
}

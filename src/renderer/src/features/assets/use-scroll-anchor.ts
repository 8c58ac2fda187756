import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react'
import { findInRows, type GridRow } from './grid-rows.ts'

/** Lines of the grid with the place each starts at, in pixels from the top. */
export interface Layout {
  rows: readonly GridRow[]
  startsPx: readonly number[]
  heightPx: number
}

/**
 * Keeps what a person is looking at in place while assets arrive above it: remembers the topmost visible asset and, when
 * lines change, scrolls so that it stays where it was. At the very top nothing is held, so that new pictures show.
 */
export function useScrollAnchor(scroller: RefObject<HTMLDivElement | null>, layout: Layout): void {
  const anchor = useRef<{ assetId: string; offsetPx: number } | null>(null)
  const current = useRef(layout)

  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const remember = () => {
      anchor.current = findAnchor(current.current, element.scrollTop)
    }
    element.addEventListener('scroll', remember, { passive: true })
    return () => element.removeEventListener('scroll', remember)
  }, [scroller])

  useLayoutEffect(() => {
    current.current = layout
    const element = scroller.current
    if (element === null || anchor.current === null) return
    const place = findInRows(layout.rows, anchor.current.assetId)
    const startPx = place === null ? undefined : layout.startsPx[place.row]
    if (startPx === undefined) return
    const wantedPx = startPx - anchor.current.offsetPx
    if (Math.abs(wantedPx - element.scrollTop) > 1) element.scrollTop = wantedPx
  }, [layout, scroller])
}

function findAnchor({ rows, startsPx }: Layout, scrollTopPx: number): { assetId: string; offsetPx: number } | null {
  if (scrollTopPx <= 0) return null
  for (let row = firstAtOrAfter(startsPx, scrollTopPx); row < rows.length; row += 1) {
    const line = rows[row]
    const startPx = startsPx[row]
    if (line?.type === 'tiles' && line.assets[0] !== undefined && startPx !== undefined)
      return { assetId: line.assets[0].id, offsetPx: startPx - scrollTopPx }
  }
  return null
}

/** Index of the first start that is not above `px`; starts ascend. */
function firstAtOrAfter(startsPx: readonly number[], px: number): number {
  let low = 0
  let high = startsPx.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((startsPx[middle] ?? 0) < px) low = middle + 1
    else high = middle
  }
  return low
}

import type { Virtualizer } from '@tanstack/react-virtual'
import { useEffect, useLayoutEffect, useRef } from 'react'
import { findInRows, type GridRow } from './grid-rows.ts'

/**
 * Keeps what a person is looking at in place while assets arrive above it: remembers the topmost visible asset and, when
 * lines change, scrolls so that it stays where it was. At the very top nothing is held, so that new pictures show.
 */
export function useScrollAnchor(virtualizer: Virtualizer<HTMLDivElement, Element>, rows: readonly GridRow[]): void {
  const anchor = useRef<{ assetId: string; offset: number } | null>(null)
  const element = virtualizer.scrollElement
  const rowsRef = useRef(rows)

  useEffect(() => {
    if (element === null) return
    const remember = () => {
      anchor.current = null
      if (element.scrollTop <= 0) return
      const row = virtualizer.getVirtualItems().find(({ index, end }) => {
        return end > element.scrollTop && rowsRef.current[index]?.type === 'tiles'
      })
      const line = row === undefined ? undefined : rowsRef.current[row.index]
      if (row === undefined || line?.type !== 'tiles' || line.assets[0] === undefined) return
      anchor.current = { assetId: line.assets[0].id, offset: row.start - element.scrollTop }
    }
    element.addEventListener('scroll', remember, { passive: true })
    return () => element.removeEventListener('scroll', remember)
  }, [element, virtualizer])

  useLayoutEffect(() => {
    rowsRef.current = rows
    const held = anchor.current
    if (held === null || element === null) return
    const place = findInRows(rows, held.assetId)
    const start = place === null ? undefined : virtualizer.getOffsetForIndex(place.row, 'start')?.[0]
    if (start === undefined) return
    const wanted = start - held.offset
    if (Math.abs(wanted - element.scrollTop) > 1) virtualizer.scrollToOffset(wanted)
  }, [rows, element, virtualizer])
}

// biome-ignore-all lint/a11y/useSemanticElements: a grid of which only some lines exist cannot be a table
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid owns the focus and names the active tile
import { Button } from '@mantine/core'
import { useElementSize, useMergedRef } from '@mantine/hooks'
import { IconArrowUp } from '@tabler/icons-react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { AssetSummary } from '../../../../shared/api/assets.ts'
import { useFormats } from '../../lib/format.ts'
import classes from './AssetGrid.module.css'
import { AssetTile, tileId } from './AssetTile.tsx'
import type { DeviceNames } from './device-names.ts'
import { findInRows, type GridMove, type GridRow, layOutRows, moveInRows } from './grid-rows.ts'
import { useArrivals } from './use-arrivals.ts'
import { type Layout, useScrollAnchor } from './use-scroll-anchor.ts'

const leastTileWidthPx = 188
const gapPx = 12
/** As AssetTile.module.css lays the caption out. */
const captionLinePx = 19
const captionPaddingPx = 12
const dayHeightPx = 52
const columnsAtLeast = 2

const moves: Readonly<Record<string, GridMove>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  PageUp: 'pageUp',
  PageDown: 'pageDown',
  Home: 'first',
  End: 'last'
}

function measure(rows: readonly GridRow[], lineHeightPx: number): Layout {
  let heightPx = 0
  const startsPx = rows.map((row) => {
    const startPx = heightPx
    heightPx += row.type === 'day' ? dayHeightPx : lineHeightPx
    return startPx
  })
  return { rows, startsPx, heightPx }
}

/** How a list presents its assets. */
export interface GridLook {
  /** The name of the list, and what the Delete key does in it. */
  label: string
  deleteHelp: string
  /** The day an asset stands under, such as `2026-11-21`; the order of the assets follows it. */
  dayOf: (asset: AssetSummary) => string
  /** The names of the devices by their ids, where there are several to tell apart; else null. */
  devices: ReadonlyMap<string, DeviceNames> | null
  /** How many days an asset stays in the bin; null for one that is not there. */
  daysLeft: ((asset: AssetSummary) => number | null) | null
}

/**
 * The assets under day headings; only the visible lines exist as elements. One tab stop: arrows move, Enter opens, Delete takes
 * away.
 */
export function AssetGrid({
  assets,
  look,
  activeId,
  covered,
  onActivate,
  onOpen,
  onDelete,
  onNearEnd,
  footer
}: {
  assets: readonly AssetSummary[]
  look: GridLook
  activeId: string | null
  /** Whether something lies over the grid; it takes the focus back when that goes. */
  covered: boolean
  onActivate: (assetId: string) => void
  onOpen: (assetId: string) => void
  /** Left out for those who may not. */
  onDelete: ((asset: AssetSummary) => void) | undefined
  onNearEnd: () => void
  footer: ReactNode
}) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { label, deleteHelp, dayOf, devices, daysLeft } = look
  const { ref: sizeRef, width } = useElementSize<HTMLDivElement>()
  const scroller = useRef<HTMLDivElement>(null)
  const grid = useRef<HTMLDivElement>(null)
  const mergedRef = useMergedRef(sizeRef, scroller)

  const columns = Math.max(columnsAtLeast, Math.floor((width + gapPx) / (leastTileWidthPx + gapPx)))
  const tileWidthPx = (width - gapPx * (columns - 1)) / columns
  const captionLines = devices === null ? 2 : 3
  const lineHeightPx = Math.round(tileWidthPx * 0.75) + captionLines * captionLinePx + captionPaddingPx + gapPx
  const layout = useMemo(
    () => measure(layOutRows(assets, columns, dayOf), lineHeightPx),
    [assets, columns, dayOf, lineHeightPx]
  )
  const { rows } = layout

  const virtualizer = useVirtualizer<HTMLDivElement, Element>({
    count: width === 0 ? 0 : rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (rows[index]?.type === 'day' ? dayHeightPx : lineHeightPx),
    overscan: 4,
    scrollPaddingStart: dayHeightPx,
    scrollPaddingEnd: gapPx
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: the virtualizer does not notice that its sizes changed
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, layout])
  useScrollAnchor(scroller, layout)
  // After the anchor, which keeps the place: what then lies above it is out of sight.
  const arrivals = useArrivals(scroller, layout)

  const wasCovered = useRef(covered)
  useEffect(() => {
    if (wasCovered.current && !covered) {
      grid.current?.focus({ preventScroll: true })
      const place = activeId === null ? null : findInRows(rows, activeId)
      if (place !== null) virtualizer.scrollToIndex(place.row, { align: 'auto' })
    }
    wasCovered.current = covered
  }, [covered, activeId, rows, virtualizer])

  const items = virtualizer.getVirtualItems()
  const lastShown = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (rows.length > 0 && lastShown >= rows.length - 4) onNearEnd()
  }, [lastShown, rows.length, onNearEnd])

  function activate(asset: AssetSummary): void {
    onActivate(asset.id)
    const place = findInRows(rows, asset.id)
    if (place !== null) virtualizer.scrollToIndex(place.row, { align: 'auto' })
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const move = moves[event.key]
    if (move !== undefined) {
      event.preventDefault()
      const next = moveInRows(rows, activeId, move)
      if (next !== null) activate(next)
      return
    }
    const active = assets.find(({ id }) => id === activeId)
    if (active === undefined) return
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      onOpen(active.id)
    } else if (event.key === 'Delete' && onDelete) {
      event.preventDefault()
      onDelete(active)
    }
  }

  function onFocus(): void {
    const first = assets[0]
    if (first !== undefined && !assets.some(({ id }) => id === activeId)) onActivate(first.id)
  }

  return (
    <div className={classes['frame']}>
      {arrivals.count > 0 && (
        <Button
          className={classes['arrivals']}
          radius="xl"
          leftSection={<IconArrowUp size={20} aria-hidden />}
          onClick={() => {
            arrivals.clear()
            scroller.current?.scrollTo({ top: 0 })
          }}
        >
          {t('assets.arrived', { count: arrivals.count })}
        </Button>
      )}
      <div className={classes['scroller']} ref={mergedRef} data-testid="asset-scroller">
        <div
          className={classes['grid']}
          ref={grid}
          style={{ height: layout.heightPx }}
          role="grid"
          tabIndex={0}
          aria-label={label}
          aria-description={[t('assets.gridHelp'), onDelete && deleteHelp].filter(Boolean).join(' ')}
          aria-rowcount={rows.length}
          aria-activedescendant={activeId === null ? undefined : tileId(activeId)}
          onKeyDown={onKeyDown}
          onFocus={onFocus}
        >
          {items.map(({ index, start, size }) => {
            const row = rows[index]
            if (row === undefined) return null
            const key = row.type === 'day' ? row.day : (row.assets[0]?.id ?? index)
            return (
              <div
                key={`${row.type}-${key}`}
                role="row"
                aria-rowindex={index + 1}
                className={classes['row']}
                style={{ height: size, transform: `translateY(${start}px)` }}
              >
                {row.type === 'day' ? (
                  <div role="rowheader" className={classes['day']}>
                    {formats.day(row.day)}
                  </div>
                ) : (
                  <div
                    className={classes['line']}
                    role="presentation"
                    style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, height: size - gapPx }}
                  >
                    {row.assets.map((asset, column) => (
                      <AssetTile
                        key={asset.id}
                        asset={asset}
                        device={devices?.get(asset.deviceId ?? '')?.short ?? null}
                        daysLeft={daysLeft?.(asset) ?? null}
                        column={column}
                        active={asset.id === activeId}
                        onOpen={onOpen}
                      />
                    ))}
                  </div>
                )}
              </div>
            )
          })}
        </div>
        {footer}
      </div>
    </div>
  )
}

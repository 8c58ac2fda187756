import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { UploadItem, UploadState } from './engine/upload-item.ts'
import classes from './UploadList.module.css'
import { UploadRow } from './UploadRow.tsx'

/** What needs a person first, then what moves, what waits, and what is done. */
const rank: Readonly<Record<UploadState, number>> = {
  failed: 0,
  lost: 1,
  finishing: 2,
  sending: 2,
  checking: 2,
  waiting: 3,
  paused: 3,
  done: 4
}
const rowHeightPx = 72

/** Every upload on a line of its own; only the visible lines exist as elements. */
export function UploadList({ items }: { items: readonly UploadItem[] }) {
  const { t } = useTranslation()
  const scroller = useRef<HTMLDivElement>(null)
  const sorted = useMemo(() => items.toSorted((a, b) => rank[a.state] - rank[b.state]), [items])
  const virtualizer = useVirtualizer<HTMLDivElement, HTMLLIElement>({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => sorted[index]?.id ?? index,
    estimateSize: () => rowHeightPx,
    overscan: 6
  })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list longer than its window is scrolled by the keyboard
    <div className={classes['scroller']} ref={scroller} tabIndex={0} data-testid="upload-scroller">
      <ul className={classes['list']} style={{ height: virtualizer.getTotalSize() }} aria-label={t('uploads.list')}>
        {virtualizer.getVirtualItems().map(({ index, key, start }) => {
          const item = sorted[index]
          return (
            item && (
              <li
                key={key}
                ref={virtualizer.measureElement}
                data-index={index}
                className={classes['row']}
                aria-setsize={sorted.length}
                aria-posinset={index + 1}
                style={{ transform: `translateY(${start}px)` }}
                data-testid="upload"
                data-state={item.state}
              >
                <UploadRow item={item} />
              </li>
            )
          )
        })}
      </ul>
    </div>
  )
}

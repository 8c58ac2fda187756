import type { ReactNode } from 'react'
import classes from './Page.module.css'
import { ScreenTitle } from './ScreenTitle.tsx'

/** How wide its content gets: text to read, a table, or pictures side by side, of which more fit into a larger window. */
const maxWidths = { text: '70rem', table: '80rem', pictures: '120rem' } as const

/**
 * A screen that scrolls as a whole: its title, which stays in narrow windows if `titleStays`, beside it the `actions` of the whole
 * screen, and what it shows below.
 */
export function Page({
  title,
  titleStays = false,
  width = 'text',
  actions,
  isBusy = false,
  children
}: {
  title: string
  titleStays?: boolean
  width?: keyof typeof maxWidths
  actions?: ReactNode
  isBusy?: boolean
  children: ReactNode
}) {
  const heading = <ScreenTitle stays={titleStays}>{title}</ScreenTitle>
  return (
    <div className={classes['page']} style={{ maxWidth: maxWidths[width] }} aria-busy={isBusy || undefined}>
      {actions ? (
        <header className={classes['head']}>
          {heading}
          {actions}
        </header>
      ) : (
        heading
      )}
      {children}
    </div>
  )
}

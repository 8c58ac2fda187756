import type { ReactNode } from 'react'
import classes from './Steps.module.css'

/** Numbered instructions; the children are `li` elements. */
export function Steps({ children }: { children: ReactNode }) {
  return <ol className={classes['steps']}>{children}</ol>
}

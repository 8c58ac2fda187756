import type { ReactNode } from 'react'
import classes from './Section.module.css'

/** A part of a screen with its name; `action` is about all of it. */
export function Section({
  title,
  hint,
  action,
  children
}: {
  title: string
  hint?: string
  action?: ReactNode
  children: ReactNode
}) {
  return (
    <section className={classes['section']} aria-label={title}>
      <div className={classes['head']}>
        <h2 className={classes['name']}>{title}</h2>
        {action}
      </div>
      {hint && <p className={classes['hint']}>{hint}</p>}
      {children}
    </section>
  )
}

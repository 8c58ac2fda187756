import type { ReactNode } from 'react'
import classes from './Facts.module.css'

/** A titled part of the inspector's right side. */
export function Panel({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes['panel']} aria-label={title}>
      <h2 className={classes['title']}>{title}</h2>
      {children}
    </section>
  )
}

/** A list of named facts; facts that are not known are left out. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={classes['facts']}>{children}</dl>
}

/** One fact, or nothing when there is none to tell. `wide` puts the value below its name. */
export function Fact({ name, children, wide = false }: { name: string; children: ReactNode; wide?: boolean }) {
  if (children === null || children === undefined || children === false || children === '') return null
  return (
    <div className={classes['fact']} data-wide={wide || undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

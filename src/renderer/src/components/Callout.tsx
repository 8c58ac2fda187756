import { IconAlertOctagonFilled, IconAlertTriangleFilled } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import classes from './Callout.module.css'

/** A box that says what is wrong and, below it, what to do. */
export function Callout({ tone, title, children }: { tone: 'warn' | 'bad'; title: string; children?: ReactNode }) {
  const ToneIcon = tone === 'bad' ? IconAlertOctagonFilled : IconAlertTriangleFilled
  return (
    <div className={classes['callout']} data-tone={tone} role="alert">
      <ToneIcon size={26} aria-hidden />
      <div>
        <strong>{title}</strong>
        {children && <div className={classes['text']}>{children}</div>}
      </div>
    </div>
  )
}

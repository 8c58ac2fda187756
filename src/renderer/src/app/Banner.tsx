import { IconAlertTriangleFilled } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import classes from './Banner.module.css'

/** A warning across the top of the screen; it stays as long as it is true. */
export function Banner({
  tone,
  title,
  detail,
  action
}: {
  tone: 'warn' | 'bad'
  title: string
  detail?: string | undefined
  action?: ReactNode
}) {
  return (
    <div className={classes['banner']} data-tone={tone} role={tone === 'bad' ? 'alert' : 'status'}>
      <IconAlertTriangleFilled size={24} aria-hidden />
      <div className={classes['text']}>
        <strong>{title}</strong>
        {detail && <span>{detail}</span>}
      </div>
      {action}
    </div>
  )
}

import { IconAlertOctagonFilled, IconAlertTriangleFilled, IconCircleCheckFilled } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import classes from './Verdict.module.css'

const icons = { bad: IconAlertOctagonFilled, warn: IconAlertTriangleFilled, ok: IconCircleCheckFilled }

/** How it stands, to be read across a table; `children` say what to do about it. */
export function Verdict({ tone, text, children }: { tone: keyof typeof icons; text: string; children?: ReactNode }) {
  const ToneIcon = icons[tone]
  return (
    <div className={classes['verdict']} data-tone={tone} role="status">
      <ToneIcon size={40} aria-hidden />
      <p className={classes['text']} data-testid="verdict">
        {text}
      </p>
      {children && <div className={classes['help']}>{children}</div>}
    </div>
  )
}

import { SegmentedControl } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './ChoiceBar.module.css'

/** A choice of few things side by side, large enough for a thumb. `hint` says what the chosen one means; `children` come below it. */
export function ChoiceBar<Value extends string>({
  label,
  choices,
  value,
  hint,
  disabled = false,
  onChange,
  children
}: {
  /** What is chosen, for screen readers. */
  label: string
  choices: readonly { value: Value; label: string }[]
  value: Value
  hint: string
  disabled?: boolean
  onChange: (value: Value) => void
  children?: ReactNode
}) {
  return (
    <div className={classes['bar']}>
      <SegmentedControl
        fullWidth
        size="md"
        aria-label={label}
        classNames={{ root: classes['choices'] ?? '', label: classes['choice'] ?? '' }}
        disabled={disabled}
        value={value}
        onChange={onChange}
        data={[...choices]}
      />
      <p className={classes['hint']}>{hint}</p>
      {children}
    </div>
  )
}

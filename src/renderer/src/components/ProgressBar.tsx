import classes from './ProgressBar.module.css'

/** A bar from 0 to 1; null means "working, no telling how long"; `done` paints it as finished. */
export function ProgressBar({
  fraction,
  label,
  done = false
}: {
  fraction: number | null
  label: string
  done?: boolean
}) {
  return (
    <div
      className={classes['track']}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={fraction === null ? undefined : Math.round(fraction * 100)}
    >
      <div
        className={classes['bar']}
        data-unknown={fraction === null || undefined}
        data-done={done || undefined}
        style={fraction === null ? undefined : { width: `${fraction * 100}%` }}
      />
    </div>
  )
}

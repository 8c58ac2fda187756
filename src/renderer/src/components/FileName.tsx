import classes from './FileName.module.css'

/** Names of one flight differ at their end, so this much of it is always shown. */
const tailLength = 12

/** A file name on one line that loses its middle, never its end, when room is short. */
export function FileName({ name }: { name: string }) {
  return (
    <span className={classes['name']} title={name}>
      <span className={classes['head']}>{name.slice(0, -tailLength)}</span>
      <span className={classes['tail']}>{name.slice(-tailLength)}</span>
    </span>
  )
}

import classes from './FileName.module.css'

/** Names of one flight differ at their end, so this much of it is always shown. */
const usualTailLength = 12
/** How the aircraft number their files: `0024_V.JPG` after the date and time. */
const sequence = /(?<=_)\d{4}_[^_]{1,6}$/
/** So few characters less would not save the room of the sign that stands for them. */
const leastHeadLength = 3

/** A name on one line that loses its middle, never its end, when room is short; the sign of that is never lost. */
export function FileName({ name, tailLength = usualTailLength }: { name: string; tailLength?: number }) {
  const at = Math.max(0, sequence.exec(name)?.index ?? name.length - tailLength)
  const split = at < leastHeadLength ? 0 : at
  return (
    <span className={classes['name']} title={name}>
      {split > 0 && <span className={classes['head']}>{name.slice(0, split)}</span>}
      <span className={classes['tail']}>{name.slice(split)}</span>
    </span>
  )
}

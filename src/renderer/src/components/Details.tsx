import classes from './Details.module.css'

/** What a program said itself, in its words, for whoever looks closer. */
export function Details({ summary, lines }: { summary: string; lines: readonly string[] }) {
  return (
    <details className={classes['details']}>
      <summary>{summary}</summary>
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </details>
  )
}

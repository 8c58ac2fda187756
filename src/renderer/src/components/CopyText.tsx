import { useClipboard } from '@mantine/hooks'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import classes from './CopyText.module.css'

/** A text that is copied by pressing it; `large` for what is read across a table. */
export function CopyText({ text, label, large = false }: { text: string; label?: string; large?: boolean }) {
  const { t } = useTranslation()
  const clipboard = useClipboard({ timeout: 2000 })
  const CopyIcon = clipboard.copied ? IconCheck : IconCopy
  return (
    <button
      type="button"
      className={classes['copy']}
      data-large={large || undefined}
      onClick={() => clipboard.copy(text)}
      title={t('app.copy')}
    >
      <span className={classes['text']}>{label ?? text}</span>
      <span className={classes['hint']} aria-live="polite">
        <CopyIcon size={large ? 26 : 20} aria-hidden />
        <span className={classes['word']}>{clipboard.copied ? t('app.copied') : t('app.copy')}</span>
      </span>
    </button>
  )
}

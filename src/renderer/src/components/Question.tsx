import { Button, Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import { useFocusReturn } from '../lib/use-focus-return.ts'
import classes from './Question.module.css'

/**
 * Asks before something that cannot be undone; `children` tell what it means. The harmless answer has the focus, and Escape
 * gives it. While the other one is carried out (`isBusy`), only that answer is left.
 */
export function Question({
  title,
  no,
  onNo,
  yes,
  onYes,
  isBusy,
  children
}: {
  title: string
  no: string
  onNo: () => void
  yes: string
  /** Null until it is known what it means. */
  onYes: (() => void) | null
  isBusy: boolean
  children: ReactNode
}) {
  useFocusReturn()
  return (
    <Modal
      opened
      onClose={onNo}
      title={title}
      size="34rem"
      centered
      withCloseButton={false}
      closeOnClickOutside={!isBusy}
      closeOnEscape={!isBusy}
      classNames={{ title: classes['title'] ?? '' }}
    >
      <div className={classes['body']}>
        {children}
        <div className={classes['answers']}>
          <Button variant="default" onClick={onNo} data-autofocus>
            {no}
          </Button>
          <Button color="red.9" loading={isBusy} disabled={onYes === null} onClick={() => onYes?.()}>
            {yes}
          </Button>
        </div>
      </div>
    </Modal>
  )
}

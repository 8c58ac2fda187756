import { Button, Modal } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useFocusReturn } from '../lib/use-focus-return.ts'
import classes from './FullView.module.css'

/**
 * One thing, above the list that it was opened from, over the whole window: a bar with a button to close it and what `bar` holds, and the
 * thing below. Escape closes it unless something lies over it (`covered`).
 */
export function FullView({
  label,
  testId,
  covered,
  bar,
  onClose,
  children
}: {
  label: string
  testId: string
  covered: boolean
  bar: ReactNode
  onClose: () => void
  children: ReactNode
}) {
  const { t } = useTranslation()
  useFocusReturn()
  return (
    <Modal.Root
      opened
      onClose={onClose}
      closeOnEscape={!covered}
      fullScreen
      padding={0}
      lockScroll={false}
      transitionProps={{ duration: 0 }}
      classNames={{ content: classes['content'] ?? '' }}
    >
      <Modal.Content aria-label={label} data-testid={testId}>
        <header className={classes['bar']}>
          <Button
            variant="subtle"
            color="gray"
            className={classes['close']}
            leftSection={<IconX size={24} aria-hidden />}
            onClick={onClose}
            data-autofocus
          >
            {t('app.close')}
          </Button>
          {bar}
        </header>
        {children}
      </Modal.Content>
    </Modal.Root>
  )
}

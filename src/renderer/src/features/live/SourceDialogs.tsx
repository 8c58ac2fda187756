import { Modal } from '@mantine/core'
import { useIsMutating } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useFocusReturn } from '../../lib/use-focus-return.ts'
import { DeleteSourceQuestion } from './DeleteSourceQuestion.tsx'
import { NewKeyQuestion } from './NewKeyQuestion.tsx'
import { PushGuide } from './PushGuide.tsx'
import classes from './SourceDialogs.module.css'
import { SourceForm, saveSourceKey } from './SourceForm.tsx'
import type { OnSourceDialog, SourceDialog } from './source-dialog.ts'

/** Whichever dialog about streams is open. */
export function SourceDialogs({
  dialog,
  onDialog,
  onDeleted
}: {
  dialog: SourceDialog | null
  onDialog: OnSourceDialog
  onDeleted: (sourceId: string) => void
}) {
  const { t } = useTranslation()
  const close = () => onDialog(null)
  if (dialog === null) return null
  if (dialog.kind === 'delete')
    return <DeleteSourceQuestion source={dialog.source} onClose={close} onDeleted={() => onDeleted(dialog.source.id)} />
  if (dialog.kind === 'newKey')
    return (
      <NewKeyQuestion
        source={dialog.source}
        onClose={close}
        onReplaced={(source) => onDialog({ kind: 'push', source, after: 'replacement' })}
      />
    )
  const title = {
    add: t('live.form.addTitle'),
    edit: t('live.form.editTitle', { name: dialog.kind === 'edit' ? dialog.source.name : '' }),
    push: t('live.push.title', { name: dialog.kind === 'push' ? dialog.source.name : '' })
  }[dialog.kind]
  return (
    <Dialog title={title} isForm={dialog.kind !== 'push'} onClose={close}>
      {dialog.kind === 'push' ? (
        <PushGuide source={dialog.source} after={dialog.after} onDone={close} />
      ) : (
        <SourceForm
          source={dialog.kind === 'edit' ? dialog.source : null}
          onCancel={close}
          onSaved={(source) =>
            onDialog(
              dialog.kind === 'add' && source.type === 'push' ? { kind: 'push', source, after: 'creation' } : null
            )
          }
        />
      )}
    </Dialog>
  )
}

/** What was typed into a form must not vanish by a slip of the hand, nor while it is on its way. */
function Dialog({
  title,
  isForm,
  onClose,
  children
}: {
  title: string
  isForm: boolean
  onClose: () => void
  children: ReactNode
}) {
  const { t } = useTranslation()
  const isSaving = useIsMutating({ mutationKey: saveSourceKey }) > 0
  useFocusReturn()
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      size="46rem"
      yOffset="1.5rem"
      classNames={{ title: classes['title'] ?? '' }}
      closeButtonProps={{ 'aria-label': t('app.close'), size: 44, disabled: isSaving }}
      closeOnClickOutside={!isForm}
      closeOnEscape={!isSaving}
    >
      {children}
    </Modal>
  )
}

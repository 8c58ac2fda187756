import { Modal } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import classes from './AddController.module.css'
import { ConnectWithToken } from './ConnectWithToken.tsx'
import { ControllerTokens } from './ControllerTokens.tsx'
import type { NewToken } from './controller-tokens.ts'
import { NewTokenForm } from './NewTokenForm.tsx'

/** The dialog in which an administrator gives controllers their tokens and takes them away. */
export function AddController({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const [made, setMade] = useState<NewToken | null>(null)
  return (
    <Modal
      opened
      onClose={onClose}
      title={made === null ? t('pairing.add') : t('pairing.madeTitle', { name: made.name })}
      size="46rem"
      yOffset="1.5rem"
      classNames={{ title: classes['title'] ?? '' }}
      closeButtonProps={{ 'aria-label': t('app.close'), size: 44 }}
      // A secret that cannot be shown again must not vanish by a slip of the hand.
      withCloseButton={made === null}
      closeOnClickOutside={made === null}
      closeOnEscape={made === null}
    >
      {made === null ? (
        <div className={classes['parts']}>
          <NewTokenForm onMade={setMade} />
          <ControllerTokens />
        </div>
      ) : (
        <ConnectWithToken token={made} onDone={onClose} />
      )}
    </Modal>
  )
}

import { Button, CloseButton } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { createPortal } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { useStore } from '../lib/store.ts'
import { dismissToast, type Toast, toasts } from '../lib/toasts.ts'
import classes from './ToastStack.module.css'

/** Long enough to notice and to aim at the button. */
const shownMs = 12_000

/** The messages at the lower edge, above whatever has the full screen; they wait while pointed at or focused. */
export function ToastStack() {
  const shown = useStore(toasts)
  const [onFullScreen, setOnFullScreen] = useState<Element | null>(null)
  useEffect(() => {
    // Nothing outside of an element that has the full screen is to be seen.
    const follow = () => setOnFullScreen(document.fullscreenElement)
    document.addEventListener('fullscreenchange', follow)
    return () => document.removeEventListener('fullscreenchange', follow)
  }, [])
  return createPortal(
    <div className={classes['stack']} role="status" aria-live="polite">
      {shown.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </div>,
    onFullScreen ?? document.body
  )
}

function ToastCard({ toast }: { toast: Toast }) {
  const { t } = useTranslation()
  const [held, setHeld] = useState(false)
  useEffect(() => {
    if (held) return
    const timer = setTimeout(() => dismissToast(toast.id), shownMs)
    return () => clearTimeout(timer)
  }, [held, toast.id])

  const hold = () => setHeld(true)
  const release = () => setHeld(false)
  const act = () => {
    dismissToast(toast.id)
    toast.action?.run()
  }
  const open = () => {
    dismissToast(toast.id)
    toast.open?.()
  }
  const ToneIcon = toast.tone === 'bad' ? IconAlertTriangle : IconCircleCheck
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: holding a message needs no operating
    <div
      className={classes['toast']}
      data-tone={toast.tone}
      onPointerEnter={hold}
      onPointerLeave={release}
      onFocus={hold}
      onBlur={release}
    >
      <ToneIcon size={24} aria-hidden />
      <span className={classes['text']}>{toast.text}</span>
      {toast.open && (
        <Button variant="white" color="dark" onClick={open}>
          {t('app.openFile')}
        </Button>
      )}
      {toast.action && (
        <Button variant="white" color="dark" onClick={act}>
          {toast.action.label}
        </Button>
      )}
      <CloseButton
        className={classes['close']}
        size={44}
        aria-label={t('app.close')}
        onClick={() => dismissToast(toast.id)}
      />
    </div>
  )
}

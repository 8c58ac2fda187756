import { IconDownload } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '../../lib/use-may.ts'
import { filesOfDrop, hasFiles } from './browser/dropped-files.ts'
import classes from './DropArea.module.css'
import { uploads } from './uploads.ts'

/** Takes what is dropped anywhere on the page, and says so while it is dragged. `onAdded` shows where it went. */
export function DropArea({ onAdded }: { onAdded: () => void }) {
  const { t } = useTranslation()
  const mayUpload = useMay('operator')
  const [isOver, setIsOver] = useState(false)
  const act = useRef({ onAdded, mayUpload })
  act.current = { onAdded, mayUpload }

  useEffect(() => {
    const onDrag = (event: DragEvent) => {
      if (!hasFiles(event.dataTransfer)) return
      // Otherwise the browser would leave this page and open the file.
      event.preventDefault()
      if (event.dataTransfer) event.dataTransfer.dropEffect = act.current.mayUpload ? 'copy' : 'none'
      setIsOver(act.current.mayUpload)
    }
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setIsOver(false)
    }
    const onDrop = (event: DragEvent) => {
      setIsOver(false)
      if (!event.dataTransfer || !hasFiles(event.dataTransfer)) return
      event.preventDefault()
      if (!act.current.mayUpload) return
      act.current.onAdded()
      void filesOfDrop(event.dataTransfer).then((files) => uploads.add(files))
    }
    const listeners = { dragenter: onDrag, dragover: onDrag, dragleave: onLeave, drop: onDrop }
    for (const [type, listener] of Object.entries(listeners)) addEventListener(type, listener as EventListener)
    return () => {
      for (const [type, listener] of Object.entries(listeners)) removeEventListener(type, listener as EventListener)
    }
  }, [])

  if (!isOver) return null
  return (
    <div className={classes['area']} data-testid="drop-area">
      <div className={classes['sign']}>
        <IconDownload size={56} aria-hidden />
        {t('uploads.dropHere')}
      </div>
    </div>
  )
}

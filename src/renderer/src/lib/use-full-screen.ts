import { type RefObject, useEffect, useState } from 'react'

/** Shows an element on the full screen, and back. `isPossible` is false where the browser does not let pages do that. */
export function useFullScreen(element: RefObject<HTMLElement | null>): {
  isFull: boolean
  isPossible: boolean
  toggle: () => void
} {
  const [isFull, setIsFull] = useState(false)
  useEffect(() => {
    const follow = () =>
      setIsFull(document.fullscreenElement !== null && document.fullscreenElement === element.current)
    document.addEventListener('fullscreenchange', follow)
    return () => document.removeEventListener('fullscreenchange', follow)
  }, [element])
  return {
    isFull,
    isPossible: document.fullscreenEnabled === true,
    toggle() {
      // Refused by the browser, the picture stays as it is, which is to be seen.
      if (document.fullscreenElement !== null) document.exitFullscreen().catch(() => {})
      else element.current?.requestFullscreen().catch(() => {})
    }
  }
}

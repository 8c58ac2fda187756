import { useEffect } from 'react'

/** For a dialog that is closed by not being rendered any more: gives the focus back to what had it before. */
export function useFocusReturn(): void {
  useEffect(() => {
    const before = document.activeElement
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true })
    }
  }, [])
}

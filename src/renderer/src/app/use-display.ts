import { useMediaQuery } from '@mantine/hooks'
import { useEffect } from 'react'
import { preferences } from '../lib/preferences.ts'
import { useStore } from '../lib/store.ts'

/**
 * The colour scheme to use now: what was chosen, else what the system asks for. High contrast is a light scheme with its own
 * colours, marked on the root element for global.css.
 */
export function useDisplay(): 'light' | 'dark' {
  const { theme } = useStore(preferences)
  const prefersDark = useMediaQuery('(prefers-color-scheme: dark)', false, { getInitialValueInEffect: false })
  const prefersContrast = useMediaQuery('(prefers-contrast: more)', false, { getInitialValueInEffect: false })
  const contrast = theme === 'contrast' || (theme === 'auto' && prefersContrast)
  useEffect(() => {
    if (contrast) document.documentElement.dataset['display'] = 'contrast'
    else delete document.documentElement.dataset['display']
  }, [contrast])
  if (contrast || theme === 'light') return 'light'
  return theme === 'dark' || prefersDark ? 'dark' : 'light'
}

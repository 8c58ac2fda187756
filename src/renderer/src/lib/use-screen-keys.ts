import { type HotkeyItem, useHotkeys } from '@mantine/hooks'

const fields = ['INPUT', 'TEXTAREA', 'SELECT']

/** Keys that a screen takes wherever the focus is, but for elements of these tags and while a dialog lies over it. */
export function useScreenKeys(keys: readonly (readonly [string, () => void])[], ignoredTags = fields): void {
  useHotkeys(
    keys.map(([key, act]): HotkeyItem => {
      const actUnlessCovered = (event: KeyboardEvent) => {
        if (document.querySelector('[role="dialog"]') !== null) return
        event.preventDefault()
        act()
      }
      return [key, actUnlessCovered, { preventDefault: false }]
    }),
    ignoredTags
  )
}

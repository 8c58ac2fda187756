import {
  ActionIcon,
  Button,
  createTheme,
  type MantineColorsTuple,
  Menu,
  Modal,
  NativeSelect,
  Tooltip
} from '@mantine/core'

const azure: MantineColorsTuple = [
  '#e8f2ff',
  '#d0e3ff',
  '#a3c8ff',
  '#74acff',
  '#5599ff',
  '#3d86f5',
  '#1f72e6',
  '#0a5bd0',
  '#084cae',
  '#063e8f'
]

/** Large targets and text for gloved hands in sunlight; the colours live in global.css, one set per display. */
export const theme = createTheme({
  fontFamily: 'var(--fc-font)',
  fontFamilyMonospace: "ui-monospace, 'Cascadia Mono', 'SF Mono', 'Noto Sans Mono', 'DejaVu Sans Mono', monospace",
  colors: { azure },
  primaryColor: 'azure',
  primaryShade: { light: 7, dark: 4 },
  autoContrast: true,
  luminanceThreshold: 0.35,
  defaultRadius: 'md',
  cursorType: 'pointer',
  focusRing: 'auto',
  fontSizes: { xs: '0.8125rem', sm: '0.9375rem', md: '1rem', lg: '1.125rem', xl: '1.3125rem' },
  headings: { fontWeight: '700' },
  components: {
    Button: Button.extend({ defaultProps: { size: 'md' }, styles: { root: { minHeight: 44 } } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { size: 44, variant: 'subtle', color: 'gray' } }),
    NativeSelect: NativeSelect.extend({ defaultProps: { size: 'md' }, styles: { input: { minHeight: 44 } } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300, events: { hover: true, focus: true, touch: false } } }),
    Menu: Menu.extend({ styles: { item: { minHeight: 44, fontSize: 'var(--mantine-font-size-md)' } } }),
    Modal: Modal.extend({ defaultProps: { transitionProps: { duration: 0 } } })
  }
})

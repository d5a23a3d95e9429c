import {
  ActionIcon,
  Button,
  Checkbox,
  createTheme,
  defaultVariantColorsResolver,
  type CSSVariablesResolver,
  type MantineColorsTuple,
  Menu,
  Modal,
  NumberInput,
  Popover,
  SegmentedControl,
  Select,
  Slider,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
  Tooltip,
} from '@mantine/core'

import { FONT, MONO, PALETTES, type Palette } from './tokens'

// Only 4 (dark) and 6 (light) are the design's; the others are what Mantine derives hover and disabled states from.
const accent: MantineColorsTuple = [
  '#f1ecfb', '#e1d6f7', '#cdbaf2', '#baa2f5', '#a98bfa', '#8a66e0', '#6941c6', '#5a36ad', '#4b2d92', '#3c2476',
]

// For what cannot be undone: 6 and 4 are the design's “failed”.
const red: MantineColorsTuple = [
  '#fdecec', '#fbd5d5', '#f6b1b1', '#fb9690', '#ff7b72', '#e04f4a', '#c92a2a', '#ad2323', '#8f1d1d', '#711717',
]

// Mantine reads its dark surfaces and borders from this scale: text first, page at 7.
const dark: MantineColorsTuple = [
  '#eceef1', '#a9afba', '#8b919d', '#666d78', '#292d34', '#23272d', '#1b1e24', '#131519', '#0e1013', '#0a0c0f',
]

const control = { size: 'xs', radius: 'sm' } as const

export const theme = createTheme({
  fontFamily: FONT,
  fontFamilyMonospace: MONO,
  headings: { fontFamily: FONT },
  primaryColor: 'accent',
  primaryShade: { light: 6, dark: 4 },
  colors: { accent, dark, red },
  autoContrast: true,
  luminanceThreshold: 0.25,
  black: PALETTES.light.text,
  defaultRadius: 'sm',
  radius: { xs: '3px', sm: '6px', md: '8px' },
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px' },
  lineHeights: { xs: '16px', sm: '20px', md: '20px' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '40px' },
  focusRing: 'auto',
  respectReducedMotion: true,
  variantColorResolver: (input) => {
    const colours = defaultVariantColorsResolver(input)
    // Mantine decides a filled button's text by its light shade; ours is dark on the dark theme's lighter accent.
    const accented = input.variant === 'filled' && (input.color === undefined || input.color === 'accent' || input.color === 'red')
    return accented ? { ...colours, color: 'var(--mantine-primary-color-contrast)' } : colours
  },
  components: {
    Button: Button.extend({ defaultProps: { ...control, fw: 580 } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { size: 30, variant: 'default' } }),
    Checkbox: Checkbox.extend({ defaultProps: { size: 'xs' } }),
    Switch: Switch.extend({ defaultProps: { size: 'xs' } }),
    Slider: Slider.extend({ defaultProps: { size: 4, thumbSize: 14 } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { ...control, transitionDuration: 100, withItemsBorders: false } }),
    Select: Select.extend({ defaultProps: { ...control, allowDeselect: false, comboboxProps: { transitionProps: { duration: 80 } } } }),
    TextInput: TextInput.extend({ defaultProps: control }),
    NumberInput: NumberInput.extend({ defaultProps: control }),
    TagsInput: TagsInput.extend({ defaultProps: control }),
    Textarea: Textarea.extend({ defaultProps: control }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 250, transitionProps: { duration: 80 } } }),
    Menu: Menu.extend({ defaultProps: { shadow: 'md', position: 'bottom-end', transitionProps: { duration: 80 } } }),
    Popover: Popover.extend({ defaultProps: { shadow: 'md', transitionProps: { duration: 80 } } }),
    Modal: Modal.extend({ defaultProps: { centered: true, transitionProps: { duration: 100 }, overlayProps: { backgroundOpacity: 0.35 } } }),
  },
})

function surfaces(palette: Palette, onAccent: string): Record<string, string> {
  return {
    '--mantine-primary-color-contrast': onAccent,
    '--mantine-color-body': palette.page,
    '--mantine-color-text': palette.text,
    '--mantine-color-dimmed': palette.text3,
    '--mantine-color-placeholder': palette.text3,
    '--mantine-color-error': palette.failed,
    '--mantine-color-anchor': palette.accent,
    '--mantine-color-default': palette.page,
    '--mantine-color-default-hover': palette.raised,
    '--mantine-color-default-color': palette.text,
    '--mantine-color-default-border': palette.line,
    '--db-page': palette.page,
    '--db-side': palette.side,
    '--db-raised': palette.raised,
    '--db-line': palette.line,
    '--db-faint': palette.faint,
    '--db-grid': palette.grid,
    '--db-text': palette.text,
    '--db-text2': palette.text2,
    '--db-text3': palette.text3,
    '--db-accent': palette.accent,
    '--db-accent-soft': palette.accentSoft,
    '--db-good': palette.good,
    '--db-warning': palette.warning,
    '--db-warning-soft': palette.warningSoft,
    '--db-failed': palette.failed,
    '--db-done': palette.done,
    '--db-missing': palette.missing,
  }
}

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: surfaces(PALETTES.light, '#ffffff'),
  dark: surfaces(PALETTES.dark, PALETTES.dark.page),
})

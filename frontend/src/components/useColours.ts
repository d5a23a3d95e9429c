import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core'

/** Light, dark, or whatever the system says. */
export function useColours() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const shown = useComputedColorScheme('light')
  const other = shown === 'light' ? 'dark' : 'light'
  return { followsSystem: colorScheme === 'auto', shown, other, choose: setColorScheme } as const
}

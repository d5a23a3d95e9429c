import { useComputedColorScheme } from '@mantine/core'

import type { Scheme } from '../theme/tokens'

/** The scheme that is drawn: `auto` resolved, from the first frame on. */
export function useScheme(): Scheme {
  return useComputedColorScheme('light', { getInitialValueInEffect: false })
}

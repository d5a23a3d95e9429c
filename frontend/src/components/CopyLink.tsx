import { Button } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'

import { Icon } from './icons'

/** The address holds the whole view: tab, metric, size, step, zoom of the tiles. */
export function CopyLink() {
  const { copied, copy } = useClipboard({ timeout: 1500 })
  return (
    <Button variant="default" leftSection={<Icon name={copied ? 'check' : 'link'} size={14} />} onClick={() => copy(location.href)}>
      {copied ? 'Copied' : 'Copy link'}
    </Button>
  )
}

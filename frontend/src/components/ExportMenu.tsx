import { Button, Menu } from '@mantine/core'

import { figureUrl, type FigureOptions } from '../api/queries'
import { Icon } from './icons'
import { useScheme } from './useScheme'

const FORMATS = [
  { format: 'png', label: 'PNG', hint: 'for slides' },
  { format: 'svg', label: 'SVG', hint: 'to edit' },
  { format: 'pdf', label: 'PDF', hint: 'for a paper' },
  { format: 'html', label: 'HTML', hint: 'opens by itself' },
  { format: 'json', label: 'JSON', hint: 'Plotly, with all numbers' },
]

/** The same figure as a file, drawn by the server with the caption and the colours of this page. */
export function ExportMenu({ experimentId, name, options }: { experimentId: number; name: string; options: FigureOptions }) {
  const scheme = useScheme()
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="download" size={14} />}>
          Export figure
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMATS.map(({ format, label, hint }) => (
          <Menu.Item key={format} component="a" href={figureUrl(experimentId, name, format, scheme, options)} download={`${name}.${format}`} rightSection={<span className="secondary">{hint}</span>}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

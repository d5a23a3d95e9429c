import { Button, Menu } from '@mantine/core'

import { figureUrl, type FigureOptions } from '../../api/queries'
import { Icon } from '../../components/icons'
import { useScheme } from '../../components/useScheme'

const HINTS = { csv: 'all digits', latex: 'booktabs', json: 'with run ids' }
const TITLES = { csv: 'CSV', latex: 'LaTeX', json: 'JSON' }
const ENDINGS = { csv: 'csv', latex: 'tex', json: 'json' }
const FORMATS = ['csv', 'latex', 'json'] as const

/** A table of the experiment as numbers, as LaTeX and as a picture. */
export function TableExport({ experimentId, name, options }: { experimentId: number; name: 'results' | 'sharpness'; options: FigureOptions }) {
  const scheme = useScheme()
  const href = (format: string) => `/api/experiments/${experimentId}/${name}?${new URLSearchParams({ ...options, format })}`
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="download" size={14} />}>
          Export table
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMATS.map((format) => (
          <Menu.Item key={format} component="a" href={href(format)} download={`${name}.${ENDINGS[format]}`} rightSection={<span className="secondary">{HINTS[format]}</span>}>
            {TITLES[format]}
          </Menu.Item>
        ))}
        {['png', 'svg', 'pdf'].map((format) => (
          <Menu.Item key={format} component="a" href={figureUrl(experimentId, name, format, scheme, options)} download={`${name}.${format}`} rightSection={<span className="secondary">as a picture</span>}>
            {format.toUpperCase()}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

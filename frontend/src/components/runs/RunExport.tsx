import { Button, Menu } from '@mantine/core'

import { Icon } from '../icons'

const FORMATS = [
  { format: 'csv', label: 'CSV', hint: 'for a spreadsheet' },
  { format: 'parquet', label: 'Parquet', hint: 'for pandas, polars' },
  { format: 'json', label: 'JSON', hint: 'a list of objects' },
]

/** All runs that the filter finds, in the order of the table; of an experiment also every point of its curves. */
export function RunExport({ experiment, filter, sort }: { experiment: number | null; filter?: string; sort?: string }) {
  const wanted = Object.entries({ experiment, filter, sort }).filter(([, value]) => value != null && value !== '')
  const runs = (format: string) => `/api/runs/export?${new URLSearchParams([['format', format], ...wanted.map(([name, value]) => [name, String(value)])])}`
  const curves = (format: string) => `/api/experiments/${experiment}/curves?format=${format}`
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="download" size={14} />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>These runs, with parameters and metrics</Menu.Label>
        {FORMATS.map(({ format, label, hint }) => (
          <Menu.Item key={format} component="a" href={runs(format)} download={`runs.${format}`} rightSection={<span className="secondary">{hint}</span>}>
            {label}
          </Menu.Item>
        ))}
        {experiment !== null && <Menu.Label>All curves of the experiment</Menu.Label>}
        {experiment !== null &&
          FORMATS.map(({ format, label }) => (
            <Menu.Item key={`curves-${format}`} component="a" href={curves(format)} download={`curves.${format}`} rightSection={<span className="secondary">{format === 'json' ? 'columns' : 'a row a point'}</span>}>
              {label}
            </Menu.Item>
          ))}
      </Menu.Dropdown>
    </Menu>
  )
}

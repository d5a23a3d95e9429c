import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'

import { api, unwrap } from '../../api/client'
import { datasetQuery } from '../../api/queries'
import type { DatasetEntry, DatasetReport } from '../../api/types'
import { Confirm } from '../../components/Confirm'
import { Icon } from '../../components/icons'
import { toast, toastError } from '../../components/toast'
import { count, dateTime, fixed, percent, plural } from '../../lib/format'
import classes from './Datasets.module.css'
import { DepthHistogram } from './DepthHistogram'
import roomsSheet from './rooms-672c8974.webp'

/** What the check found, in numbers, in sentences, and as pictures to look at. */
export function DatasetDetail({ dataset }: { dataset: DatasetEntry }) {
  const { report } = dataset
  return (
    <article className={classes.detail}>
      <div className="spread">
        <h2 className="title">{dataset.name}</h2>
        <DeleteDataset dataset={dataset} />
      </div>
      <Problems report={report} />
      <div className={classes.measured}>
        <Histogram dataset={dataset} />
        <section aria-label="Splits">
          <h3 className="section">Splits</h3>
          <Splits report={report} />
          <Users name={dataset.name} runs={dataset.runs} />
        </section>
      </div>
      <Sheet dataset={dataset} />
      <Facts dataset={dataset} />
    </article>
  )
}

function Histogram({ dataset: { name, report, format } }: { dataset: DatasetEntry }) {
  const { depth, invalid_share: invalid } = report
  const options = Object.entries(report.options ?? {}).map(([key, value]) => ` --option ${key}=${value}`)
  const again = `depthboard data add ${name} --format ${format}${options.join('')} ${report.path} --replace`
  return (
    <section aria-label="Depths">
      <h3 className="section">Depths</h3>
      {depth && (
        <p className="secondary num">
          98 % lie between {fixed(depth.p1, 2)} and {fixed(depth.p99, 2)} m{invalid == null ? '' : invalid === 0 ? '; every pixel has one' : `; ${percent(invalid, 1)} of the pixels have none`}.
        </p>
      )}
      {report.histogram ? (
        <DepthHistogram report={report} />
      ) : (
        <p className={classes.older}>
          Its report is older than the histogram. Check it again with <code>{again}</code>
        </p>
      )}
    </section>
  )
}

function Users({ name, runs }: { name: string; runs: number }) {
  const { data } = useQuery(datasetQuery(name))
  if (runs === 0) return <p className={`secondary ${classes.users}`}>Nothing was trained on it yet.</p>
  return (
    <div className={classes.users}>
      <p className="secondary num">Used by {plural(runs, 'run')} of:</p>
      <ul>
        {data?.experiments.slice(0, MOST).map((experiment) => (
          <li key={experiment.id}>
            <Link to="/experiments/$experimentId/$tab" params={{ experimentId: String(experiment.id), tab: 'overview' }}>
              {experiment.name}
            </Link>
          </li>
        ))}
        {data && data.experiments.length > MOST && <li className="secondary">and {plural(data.experiments.length - MOST, 'more experiment')}</li>}
      </ul>
    </div>
  )
}

const MOST = 8

function Sheet({ dataset }: { dataset: DatasetEntry }) {
  const source = dataset.sheet_url ?? (dataset.format === 'rooms' ? roomsSheet : null)
  if (!source) return null
  return (
    <section aria-label="Contact sheet">
      <h3 className="section">Contact sheet</h3>
      <p className="secondary">Photograph on the left, its depth on the right, near light and far dark. Look whether they show the same place the right way up.</p>
      <a href={source} target="_blank" rel="noreferrer" aria-label="Contact sheet in full size">
        <img className={classes.sheet} src={source} alt={`Frames of ${dataset.name} with their depth`} loading="lazy" />
      </a>
    </section>
  )
}

function Problems({ report }: { report: DatasetReport }) {
  const problems = report.problems ?? []
  const warnings = report.warnings ?? []
  const unnamed = (report.problem_count ?? 0) - problems.length
  if (problems.length + warnings.length === 0) return null
  return (
    <ul className={classes.notes}>
      {problems.map((problem) => (
        <li key={problem} data-bad>
          <Icon name="close" /> {problem}
        </li>
      ))}
      {unnamed > 0 && (
        <li data-bad>
          <Icon name="close" /> and {plural(unnamed, 'more problem')}. It cannot be trained on until they are mended.
        </li>
      )}
      {warnings.map((warning) => (
        <li key={warning}>
          <Icon name="warning" /> {warning}
        </li>
      ))}
    </ul>
  )
}

function Splits({ report }: { report: DatasetReport }) {
  const scenes = report.scenes ?? {}
  const parts = [...new Set(Object.values(report.splits).flatMap((split) => Object.keys(split)))]
  return (
    <table className={`table ${classes.splits}`}>
      <thead>
        <tr>
          <th>Split</th>
          {parts.map((part) => (
            <th key={part} className="right">
              {part}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="num">
        {Object.entries(report.splits).map(([name, split]) => (
          <tr key={name}>
            <td>
              {name} {name === report.default_split && <span className="secondary">default</span>}
            </td>
            {parts.map((part) => (
              <td key={part} className="right">
                {split[part] === undefined ? '–' : count(split[part])}
                {scenes[name]?.[part] ? <span className={`secondary ${classes.scenes}`}>{plural(scenes[name][part], 'scene')}</span> : null}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Facts({ dataset }: { dataset: DatasetEntry }) {
  const { report } = dataset
  const depth = report.depth
  const facts: [string, string | null][] = [
    ['Format', report.format],
    ['Path', report.path || null],
    ['Options', Object.entries(report.options ?? {}).map(([key, value]) => `${key} ${String(value)}`).join(', ') || null],
    ['Frames', `${count(report.counts.frames)}; ${count(report.counts.decoded)} read in full`],
    ['Size as stored', report.height && report.width ? `${report.width} × ${report.height} pixels` : null],
    ['Depth', depth ? `${fixed(depth.min, 2)} to ${fixed(depth.max, 2)} m, median ${fixed(depth.median, 2)} m` : null],
    ['Fingerprint', report.fingerprint ? report.fingerprint.slice(0, 16) : null],
    ['Registered', dateTime(dataset.created_at)],
  ]
  return (
    <dl className={`${classes.facts} num`}>
      {facts.map(([name, value]) =>
        value === null ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

function DeleteDataset({ dataset }: { dataset: DatasetEntry }) {
  const [opened, { open, close }] = useDisclosure(false)
  const client = useQueryClient()
  const navigate = useNavigate()
  if (dataset.format === 'rooms') return <span className="secondary">built in</span>
  const remove = async () => {
    try {
      await unwrap(api.DELETE('/api/datasets/{name}', { params: { path: { name: dataset.name } } }))
      await navigate({ to: '/datasets' })
      await client.invalidateQueries({ queryKey: ['datasets'] })
      toast(`${dataset.name} is no longer registered. Its files were not touched.`)
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <>
      <Button variant="default" leftSection={<Icon name="trash" size={14} />} onClick={open}>
        Remove
      </Button>
      <Confirm opened={opened} onClose={close} onConfirm={remove} title={`Remove ${dataset.name}?`} action="Remove dataset">
        <p>The registration goes: name, report and contact sheet. The files at {dataset.path} stay where they are, and runs that trained on them keep their results.</p>
      </Confirm>
    </>
  )
}

import { FigurePanel } from '../../components/FigurePanel'
import type { TabProps } from './ExperimentPage'
import { FigureTab } from './FigureTab'

export default function DatasetSizeTab({ experiment }: TabProps) {
  return (
    <FigureTab experiment={experiment} name="dataset-size">
      {(options) => <FigurePanel experimentId={experiment.id} name="dataset-size" title="Metrics against dataset size" options={options} />}
    </FigureTab>
  )
}

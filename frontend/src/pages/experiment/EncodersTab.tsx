import { FigurePanel } from '../../components/FigurePanel'
import type { TabProps } from './ExperimentPage'
import { FigureTab } from './FigureTab'

export default function EncodersTab({ experiment }: TabProps) {
  return (
    <FigureTab experiment={experiment} name="encoders">
      {(options) => <FigurePanel experimentId={experiment.id} name="encoders" title="Losses by encoder" options={options} />}
    </FigureTab>
  )
}

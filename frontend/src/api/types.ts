import type { components } from './schema'

type Schemas = components['schemas']

export type Catalogue = Schemas['Catalogue']
export type CameraEntry = Schemas['CameraEntry']
export type CheckpointEntry = Schemas['CheckpointEntry']
export type ColumnEntry = Schemas['ColumnEntry']
export type Comparison = Schemas['Comparison']
export type ComparedRun = Schemas['ComparedRun']
export type Counts = Schemas['ExperimentSummary']['counts']
export type CurveSet = Schemas['CurveSet']
export type DatasetEntry = Schemas['DatasetEntry']
export type DatasetReport = Schemas['DatasetEntry']['report']
export type DifferenceRow = Schemas['DifferenceRow']
export type DryRun = Schemas['DryRun']
/** The body of every error answer: {error: …}. */
export interface ErrorBody {
  code: string
  message: string
  field: string | null
  remedy: string | null
  request_id: string
  others?: Fault[]
}
export interface Fault {
  message: string
  field: string | null
  remedy: string | null
}
export type ExperimentDetail = Schemas['ExperimentDetail']
export type ExperimentSummary = Schemas['ExperimentSummary']
export type FigureEntry = Schemas['FigureEntry']
export type FrameEntry = Schemas['FrameEntry']
export type LiveEvent = Schemas['LiveEvent']
export type LossEntry = Schemas['LossEntry']
export type MetricEntry = Schemas['MetricEntry']
export type MissingCell = Schemas['MissingCell']
export type PredictionEntry = Schemas['PredictionEntry']
export type Qualitative = Schemas['Qualitative']
export type ResultRow = Schemas['ResultRow']
export type QueueEntry = Schemas['QueueEntry']
export type Results = Schemas['Results']
export type RunCurves = Schemas['RunCurves']
export type RunDetail = Schemas['RunDetail']
export type RunStatus = Schemas['RunStatus']
export type RunNames = Schemas['RunNames']
export type RunPage = Schemas['Page_RunSummary_']
export type RunSummary = Schemas['RunSummary']
export type SavedView = Schemas['SavedViewEntry']
export type Series = Schemas['Series']
export type WorkerEntry = Schemas['WorkerEntry']

/** What a person submits, as plain JSON: the form and the YAML both edit this. */
export type Spec = Record<string, unknown>

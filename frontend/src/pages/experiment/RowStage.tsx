import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState, type CSSProperties, type ReactNode } from 'react'

import { depthQuery } from '../../api/queries'
import { DepthTile, EmptyTile, PictureTile } from '../../components/depth/DepthTile'
import { Edges, LineMark } from '../../components/depth/Overlays'
import { Metres, Ring } from '../../components/depth/Readout'
import { Icon } from '../../components/icons'
import { LossGlyph } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { metresAt, type DepthMap } from '../../lib/depth'
import { differenceText, TRUTH, tileMetric, metricWords } from '../../lib/qualitative'
import classes from './RowStage.module.css'
import { PredictionTile, type TilesProps } from './TileTable'
import { useExperimentSearch } from './useExperimentSearch'
import { BLINK } from './useQualitativeKeys'

const MODES = [
  { value: 'side', label: 'Side by side' },
  { value: 'swipe', label: 'Swipe' },
  { value: 'blink', label: 'Blink' },
]

/** One image, large: the two compared beside each other, swiped over each other, or in turn. */
export function RowStage({ index, ...props }: TilesProps & { index: number }) {
  const { grid } = props.viewed
  const [search, change] = useExperimentSearch()
  const row = grid.rows[index]!
  const mode = MODES.some((m) => m.value === search.mode) ? String(search.mode) : 'side'
  const go = (by: number) => change({ row: grid.rows[index + by]?.frame.id }, true)
  const { frame } = row
  const truth = useQuery(depthQuery(frame.depth_url, frame.height, frame.width)).data
  const inner = { ...props, index, truth }
  return (
    <section aria-label={`${frame.frame}, enlarged`} className={classes.stage} data-tile-row={index} style={{ '--aspect': frame.width / frame.height } as CSSProperties}>
      <div className={classes.head}>
        <button type="button" className="link" onClick={() => change({ row: undefined, mode: undefined }, true)}>
          All images <kbd>Esc</kbd>
        </button>
        <h2 className="section">{frame.frame}</h2>
        <span className="secondary num">
          {index + 1} of {grid.rows.length}
        </span>
        <button type="button" className="link" disabled={index === 0} onClick={() => go(-1)}>
          previous <kbd>[</kbd>
        </button>
        <button type="button" className="link" disabled={index === grid.rows.length - 1} onClick={() => go(1)}>
          next <kbd>]</kbd>
        </button>
        <span className={classes.modes}>
          <SegmentedControl aria-label="How the two are shown" data={MODES} value={mode} onChange={(value) => change({ mode: value === 'side' ? undefined : value }, true)} />
          <span className="secondary">
            <kbd>f</kbd> fills the screen
          </span>
        </span>
      </div>
      <div className={classes.body}>
        <div className={classes.refs}>
          {frame.rgb_url && (
            <figure>
              <figcaption>Image</figcaption>
              <PictureTile url={frame.rgb_url} height={frame.height} width={frame.width} label={`${frame.frame}, photograph`} overlay={<Over {...inner} named />}>
                {props.cursor && <Ring cursor={props.cursor} zoom={props.zoom} />}
              </PictureTile>
            </figure>
          )}
          {frame.has_truth && (
            <figure>
              <figcaption>Ground truth</figcaption>
              <Shown {...inner} side={TRUTH} />
            </figure>
          )}
        </div>
        {mode === 'side' ? <SideBySide {...inner} /> : mode === 'swipe' ? <Swipe {...inner} /> : <Blink {...inner} />}
      </div>
    </section>
  )
}

interface StageProps extends TilesProps {
  index: number
  truth: DepthMap | undefined
}

function Over({ viewed, line, index, truth, named = false }: StageProps & { named?: boolean }) {
  const frame = viewed.grid.rows[index]!.frame
  return (
    <>
      {viewed.edges && truth && <Edges truth={truth} />}
      {line?.frame === frame.id && <LineMark line={line.line} named={named} />}
    </>
  )
}

/** The ground truth or a run's prediction of the row. */
function Shown(props: StageProps & { side: number }) {
  const { viewed, cursor, zoom, index, truth, side } = props
  const { frame, predictions } = viewed.grid.rows[index]!
  const size = { height: frame.height, width: frame.width }
  const { look, painter, grid } = viewed
  const over = <Over {...props} />
  const prediction = predictions[side]
  if (side === TRUTH) {
    return (
      <span data-column={TRUTH}>
        <DepthTile url={frame.depth_url} {...size} painter={painter} label={`${frame.frame}, ground truth`} overlay={over}>
          {cursor && <Ring cursor={cursor} zoom={zoom} />}
          {cursor && truth && <Metres depth={metresAt(truth, cursor.u, cursor.v)} missing="no ground truth" />}
        </DepthTile>
      </span>
    )
  }
  if (!prediction) return <EmptyTile {...size}>not yet</EmptyTile>
  return (
    <span data-column={side}>
      <PredictionTile
        prediction={prediction}
        truth={frame.has_truth ? truth : undefined}
        painter={painter}
        view={look.view}
        scaled={look.scaled}
        mask={look.mask}
        cursor={cursor}
        zoom={zoom}
        overlay={over}
        label={`${frame.frame}, ${grid.columns[side]!.label}`}
      />
    </span>
  )
}

function Title({ viewed, index, side, letter }: StageProps & { side: number; letter: string }) {
  const losses = useLosses()
  const column = viewed.grid.columns[side]
  const { metric } = viewed.sort
  const entry = losses.metric(metric)
  const value = tileMetric(viewed.grid.rows[index]!.predictions[side] ?? null, metric, entry)
  return (
    <span className={classes.title}>
      <b className={classes.letter}>{letter}</b>
      {column && <LossGlyph name={column.mark} hollow={column.run.encoder.startsWith('resnet')} />}
      <span className="ellipsis">{column?.label ?? 'Ground truth'}</span>
      {value && (
        <span className="secondary num">
          {metricWords(metric, entry)} {value}
        </span>
      )}
    </span>
  )
}

function Figure({ children, caption }: { children: ReactNode; caption: ReactNode }) {
  return (
    <figure className={classes.big}>
      <figcaption>{caption}</figcaption>
      {children}
    </figure>
  )
}

function SideBySide(props: StageProps) {
  const { a, b } = props.viewed.pair
  return (
    <div className={classes.two}>
      <Figure caption={<Title {...props} side={a} letter="A" />}>
        <Shown {...props} side={a} />
      </Figure>
      <Figure caption={<Title {...props} side={b} letter="B" />}>
        <Shown {...props} side={b} />
      </Figure>
    </div>
  )
}

function Both(props: StageProps) {
  const losses = useLosses()
  const { pair, sort, grid } = props.viewed
  const row = grid.rows[props.index]!
  const [x, y] = [row.predictions[pair.a]?.metrics[sort.metric], row.predictions[pair.b]?.metrics[sort.metric]]
  return (
    <span className={classes.both}>
      <Title {...props} side={pair.a} letter="A" />
      <span className="secondary num">{x != null && y != null && `A − B ${differenceText(x - y, losses.metric(sort.metric))}`}</span>
      <Title {...props} side={pair.b} letter="B" />
    </span>
  )
}

/** A on the left of a divider that is dragged or moved by its arrow keys, B on the right. */
function Swipe(props: StageProps) {
  const { pair } = props.viewed
  const [share, setShare] = useState(0.5)
  const frame = useRef<HTMLDivElement>(null)
  const place = (x: number) => {
    const box = frame.current!.getBoundingClientRect()
    setShare(Math.min(1, Math.max(0, (x - box.left) / box.width)))
  }
  const key = (event: React.KeyboardEvent) => {
    const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    event.stopPropagation()
    setShare((old) => Math.min(1, Math.max(0, old + by)))
  }
  return (
    <Figure caption={<Both {...props} />}>
      <div ref={frame} className={classes.swipe}>
        <Shown {...props} side={pair.b} />
        <div className={classes.front} style={{ clipPath: `inset(0 ${100 * (1 - share)}% 0 0)` }}>
          <Shown {...props} side={pair.a} />
        </div>
        <div
          role="slider"
          aria-label="Divider between A and B"
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(100 * share)}
          aria-orientation="horizontal"
          tabIndex={0}
          className={classes.divider}
          style={{ left: `${100 * share}%` }}
          onKeyDown={key}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId)
            event.stopPropagation()
          }}
          onPointerMove={(event) => event.buttons === 1 && place(event.clientX)}
        >
          <span className={classes.knob}>
            <Icon name="grip" size={12} />
          </span>
        </div>
      </div>
    </Figure>
  )
}

/** A, and with every press B and A again: what moves is the difference. */
function Blink(props: StageProps) {
  const { pair } = props.viewed
  const [second, setSecond] = useState(false)
  useEffect(() => {
    const flip = () => setSecond((old) => !old)
    window.addEventListener(BLINK, flip)
    return () => window.removeEventListener(BLINK, flip)
  }, [])
  return (
    <Figure
      caption={
        <span className={classes.both}>
          <Title {...props} side={second ? pair.b : pair.a} letter={second ? 'B' : 'A'} />
          <button type="button" className="link" onClick={() => setSecond((old) => !old)}>
            the other one <kbd>Space</kbd>
          </button>
        </span>
      }
    >
      <div className={classes.swipe}>
        <Shown {...props} side={pair.a} />
        <div className={classes.front} style={{ visibility: second ? 'visible' : 'hidden' }}>
          <Shown {...props} side={pair.b} />
        </div>
      </div>
    </Figure>
  )
}

import { NumberInput, SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'

import { pictureQuery } from '../../api/queries'
import type { FrameEntry } from '../../api/types'
import { CloudView } from '../../components/depth/CloudView'
import { assumedCamera, fieldOfView, FRONT, pivotOf, type Camera, type Orbit } from '../../lib/cloud'
import { painterOf, type Colouring } from '../../lib/colouring'
import type { DepthMap } from '../../lib/depth'
import { fixed } from '../../lib/format'
import classes from './Qualitative.module.css'
import { useExperimentSearch } from './useExperimentSearch'

const ASSUMED = 60

export interface CloudOf {
  label: string
  map: DepthMap
}

/** Ground truth and the two compared as points in space, all turned and zoomed together. */
export function CloudPanel({ frame, clouds, colouring }: { frame: FrameEntry; clouds: CloudOf[]; colouring: Colouring }) {
  const [search, change] = useExperimentSearch()
  const [orbit, setOrbit] = useState<Orbit>(FRONT)
  const degrees = typeof search.fov === 'number' && search.fov >= 10 && search.fov <= 150 ? search.fov : ASSUMED
  const camera: Camera = useMemo(() => frame.camera ?? assumedCamera(frame.width, frame.height, degrees), [frame, degrees])
  const pivot = useMemo(() => (clouds[0] ? pivotOf(clouds[0].map) : 3), [clouds[0]?.map])
  const photograph = useQuery({ ...pictureQuery(frame.rgb_url ?? '', frame.width, frame.height), enabled: frame.rgb_url !== null }).data
  const byDepth = search.paint === 'depth' || !photograph
  return (
    <>
      <div className={classes.clouds}>
        {clouds.map((cloud) => (
          <figure key={cloud.label}>
            <figcaption className="ellipsis">{cloud.label}</figcaption>
            <Coloured cloud={cloud} photograph={byDepth ? undefined : photograph} colouring={colouring} camera={camera} orbit={orbit} pivot={pivot} onOrbit={setOrbit} />
          </figure>
        ))}
      </div>
      <div className={classes.cloudControls}>
        <span className="secondary">
          {frame.camera ? `Camera: ${frame.camera_words}, ${fixed(fieldOfView(frame.camera, frame.width), 1)}° wide.` : `Camera not known: ${frame.camera_words}. A field of view is assumed.`} Drag turns all, the wheel zooms.
        </span>
        {!frame.camera && <NumberInput aria-label="Assumed field of view in degrees" value={degrees} min={10} max={150} step={5} suffix="° assumed" w={130} onChange={(v) => typeof v === 'number' && change({ fov: v === ASSUMED ? undefined : v }, true)} />}
        {photograph && (
          <SegmentedControl
            aria-label="Colours of the points"
            data={[
              { value: 'photograph', label: 'Photograph' },
              { value: 'depth', label: 'Depth' },
            ]}
            value={byDepth ? 'depth' : 'photograph'}
            onChange={(v) => change({ paint: v === 'depth' ? v : undefined }, true)}
          />
        )}
        <button type="button" className="link" onClick={() => setOrbit(FRONT)}>
          Turn back
        </button>
      </div>
    </>
  )
}

interface ColouredProps {
  cloud: CloudOf
  photograph: Uint32Array | undefined
  colouring: Colouring
  camera: Camera
  orbit: Orbit
  pivot: number
  onOrbit: (orbit: Orbit) => void
}

function Coloured({ cloud, photograph, colouring, ...view }: ColouredProps) {
  const { map, label } = cloud
  const colours = useMemo(() => {
    if (photograph?.length === map.values.length) return photograph
    const words = new Uint32Array(map.values.length)
    painterOf({ ...colouring, view: 'depth' })(words, map)
    return words
  }, [photograph, map, colouring])
  return <CloudView map={map} colours={colours} label={label} {...view} />
}

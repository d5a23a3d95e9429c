import { useEffect, useMemo, useRef } from 'react'

import { backProject, drawCloud, screenOf, turned, zoomed, type Camera, type Orbit } from '../../lib/cloud'
import type { DepthMap } from '../../lib/depth'
import classes from './CloudView.module.css'

interface Props {
  map: DepthMap
  camera: Camera
  /** a word a pixel of the map */
  colours: Uint32Array
  orbit: Orbit
  /** depth in metres of the point that is turned about */
  pivot: number
  label: string
  onOrbit: (orbit: Orbit) => void
}

const WIDTH = 420
const HEIGHT = 320
const NUDGE = 0.12

/** A depth map in space, drawn point by point on a plain canvas: the page may not evaluate code, and needs no graphics card. */
export function CloudView({ map, camera, colours, orbit, pivot, label, onOrbit }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const latest = useRef({ orbit, onOrbit })
  latest.current = { orbit, onOrbit }
  const cloud = useMemo(() => backProject(map, camera), [map, camera])
  const screen = useRef<{ image: ImageData; screen: ReturnType<typeof screenOf> } | null>(null)

  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const context = canvas.current?.getContext('2d')
      if (!context) return
      if (!screen.current) {
        const image = context.createImageData(WIDTH, HEIGHT)
        screen.current = { image, screen: screenOf(WIDTH, HEIGHT, new Uint32Array(image.data.buffer)) }
      }
      drawCloud(screen.current.screen, cloud, colours, orbit, pivot, camera, map.width)
      context.putImageData(screen.current.image, 0, 0)
    })
    return () => cancelAnimationFrame(frame)
  }, [cloud, colours, orbit, pivot, camera, map.width])

  useEffect(() => {
    const element = canvas.current!
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      latest.current.onOrbit(zoomed(latest.current.orbit, Math.exp(-event.deltaY / 500)))
    }
    const move = (event: PointerEvent) => {
      if (event.buttons === 1) latest.current.onOrbit(turned(latest.current.orbit, event.movementX / 120, event.movementY / 120))
    }
    const down = (event: PointerEvent) => element.setPointerCapture(event.pointerId)
    element.addEventListener('wheel', wheel, { passive: false })
    element.addEventListener('pointerdown', down)
    element.addEventListener('pointermove', move)
    return () => {
      element.removeEventListener('wheel', wheel)
      element.removeEventListener('pointerdown', down)
      element.removeEventListener('pointermove', move)
    }
  }, [])

  const key = (event: React.KeyboardEvent) => {
    const moves: Record<string, Orbit> = {
      ArrowLeft: turned(orbit, -NUDGE, 0),
      ArrowRight: turned(orbit, NUDGE, 0),
      ArrowUp: turned(orbit, 0, -NUDGE),
      ArrowDown: turned(orbit, 0, NUDGE),
      '+': zoomed(orbit, 1.15),
      '-': zoomed(orbit, 1 / 1.15),
    }
    const next = moves[event.key]
    if (!next) return
    event.preventDefault()
    event.stopPropagation()
    onOrbit(next)
  }
  return (
    <canvas
      ref={canvas}
      width={WIDTH}
      height={HEIGHT}
      className={classes.canvas}
      role="application"
      aria-label={`${label} in 3-D: arrow keys turn it, plus and minus zoom`}
      aria-roledescription="point cloud"
      tabIndex={0}
      onKeyDown={key}
    />
  )
}

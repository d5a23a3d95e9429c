import { errorsOf, painterOf, type Colouring } from '../../lib/colouring'
import type { DepthMap } from '../../lib/depth'

/** Milliseconds. */
const LATER = 400

/** One canvas with the pixels that it keeps. */
export interface Painted {
  context: CanvasRenderingContext2D
  image: ImageData
  words: Uint32Array
  depth: DepthMap
  /** whether it shows its error when errors are shown, for which it needs the ground truth */
  compared: boolean
  truth?: DepthMap
}

/**
 * Colours many tiles at once: another range or map is neither a request nor a drawing of the page, only new bytes in the canvases.
 * `performance.getEntriesByName('recolour')` tells how long that took.
 */
export class Painter {
  private tiles = new Set<Painted>()
  private paintMap: ReturnType<typeof painterOf>
  private paintTruth: ReturnType<typeof painterOf>

  constructor(private colouring: Colouring) {
    this.paintMap = painterOf(colouring)
    this.paintTruth = painterOf({ ...colouring, view: 'depth' })
  }

  /** Paints the tile now and whenever the colours change; the answer takes it out again. */
  add(tile: Painted): () => void {
    this.tiles.add(tile)
    this.paint(tile)
    const soon = setTimeout(() => prepare(tile), LATER)
    return () => {
      clearTimeout(soon)
      this.tiles.delete(tile)
    }
  }

  recolour(colouring: Colouring): void {
    if (colouring === this.colouring) return
    this.colouring = colouring
    performance.mark('recolour-start')
    this.paintMap = painterOf(colouring)
    this.paintTruth = painterOf({ ...colouring, view: 'depth' })
    for (const tile of this.tiles) this.paint(tile)
    performance.measure('recolour', { start: 'recolour-start', detail: { tiles: this.tiles.size } })
  }

  private paint({ context, image, words, depth, truth, compared }: Painted): void {
    const painted = compared ? this.paintMap(words, depth, truth) : this.paintTruth(words, depth)
    if (painted) context.putImageData(image, 0, 0)
    else context.clearRect(0, 0, image.width, image.height)
  }
}

/** Works out the errors once the page stands, so that showing them is as quick as another colour. */
function prepare({ depth, truth, compared }: Painted): void {
  if (!compared || truth?.values.length !== depth.values.length) return
  errorsOf('error', depth, truth)
  errorsOf('relative', depth, truth)
}

export function painted(canvas: HTMLCanvasElement, depth: DepthMap, compared: boolean, truth?: DepthMap): Painted | null {
  const context = canvas.getContext('2d')
  if (!context) return null
  const image = context.createImageData(depth.width, depth.height)
  return { context, image, words: new Uint32Array(image.data.buffer), depth, compared, truth }
}

import { useQuery } from '@tanstack/react-query'

import { isFlat } from '../../lib/frames'

const PROBE = 16

/** Whether there is a photograph at this address; only a script may have shown none, so only then is it looked at. */
export function useHasPicture(url: string, unsure: boolean): boolean {
  const query = useQuery({ queryKey: ['has-picture', url], queryFn: () => hasPicture(url), staleTime: Infinity, enabled: unsure })
  return !unsure || query.data === true
}

async function hasPicture(url: string): Promise<boolean> {
  const image = new Image()
  image.src = url
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = PROBE
  const context = canvas.getContext('2d')!
  context.drawImage(image, 0, 0, PROBE, PROBE)
  return !isFlat(context.getImageData(0, 0, PROBE, PROBE).data)
}

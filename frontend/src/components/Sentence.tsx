/** A sentence of the API: what stands between back ticks is to be typed. */
export function Sentence({ text }: { text: string }) {
  return text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))
}

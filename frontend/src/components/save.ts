/** A file into the person's downloads. */
export function save(blob: Blob, name: string): void {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name })
  link.click()
  // The download begins after the click has been heard: an address revoked at once may cut it off.
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

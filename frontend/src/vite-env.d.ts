/// <reference types="vite/client" />

/** The part of Plotly that the page calls; its own types describe the full build and would have to be installed with it. */
declare module 'plotly.js-cartesian-dist-min' {
  export interface PlotElement extends HTMLDivElement {
    on(event: string, handler: (event: never) => void): void
    data: Record<string, unknown>[]
    _fullLayout: Record<string, unknown>
  }
  interface Plotly {
    newPlot(element: HTMLElement, data: unknown[], layout: object, config: object): Promise<PlotElement>
    react(element: HTMLElement, data: unknown[], layout: object, config: object): Promise<PlotElement>
    relayout(element: HTMLElement, update: object): Promise<PlotElement>
    purge(element: HTMLElement): void
    Plots: { resize(element: HTMLElement): Promise<void> }
    Fx: { unhover(element: HTMLElement): void }
  }
  const plotly: Plotly
  export default plotly
}

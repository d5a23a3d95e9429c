/** Plotly in a chunk of its own: pages paint before it arrives. */
export { default } from 'plotly.js-cartesian-dist-min'

import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** KaTeX and fontsource name older font formats as fallbacks; every browser that runs this page reads woff2. */
function woff2Only(): Plugin {
  return {
    name: 'woff2-only',
    enforce: 'pre',
    transform(code, id) {
      if (!/node_modules\/katex\/.*\.css/.test(id)) return null
      return { code: code.replace(/,\s*url\([^)]+\.(?:woff|ttf)\)\s*format\(["'][^"']+["']\)/g, ''), map: null }
    },
  }
}

export default defineConfig({
  plugins: [woff2Only(), react()],
  define: { global: 'globalThis' },
  build: {
    outDir: '../backend/_web',
    emptyOutDir: true,
    sourcemap: false,
    // Plotly alone is larger than Vite's default limit; it is a chunk of its own, loaded with the first figure.
    chunkSizeWarningLimit: 1600,
    assetsInlineLimit: 0,
  },
  server: {
    port: 5173,
    fs: { allow: ['..'] },
    proxy: { '/api': process.env.DEPTHBOARD_API_URL ?? 'http://127.0.0.1:8765' },
  },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0])

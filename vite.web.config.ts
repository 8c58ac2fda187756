import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const daemon = process.env['FLIGHTCASE_DEV_DAEMON'] ?? 'http://127.0.0.1:8701'

// The renderer without Electron: `vite build` for headless use, `vite` for development beside `npm run dev:daemon`.
export default defineConfig({
  root: resolve(import.meta.dirname, 'src/renderer'),
  plugins: [react()],
  // Not "assets": that is the address of a screen.
  build: {
    outDir: resolve(import.meta.dirname, 'out/renderer'),
    emptyOutDir: true,
    assetsDir: 'static',
    rollupOptions: {
      input: ['index', 'api-docs'].map((page) => resolve(import.meta.dirname, `src/renderer/${page}.html`))
    }
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    strictPort: true,
    proxy: { '/api': daemon, '/media': daemon, '/thumbnail': daemon, '/openapi.json': daemon }
  }
})

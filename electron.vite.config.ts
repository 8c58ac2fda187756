import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import type { Plugin } from 'vite'

const here = (path: string) => resolve(import.meta.dirname, path)

/**
 * electron-vite sets a relative base for pages loaded from files. Ours is served by the daemon, also at deep addresses,
 * where relative ones would point beside the assets.
 */
const servedFromRoot: Plugin = { name: 'flightcase:served-from-root', config: () => ({ base: '/' }) }

export default defineConfig({
  main: {
    build: { rollupOptions: { input: { index: here('src/main/index.ts') } }, sourcemap: true }
  },
  preload: {
    build: {
      // A sandboxed preload script must be CommonJS.
      rollupOptions: {
        input: { index: here('src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' }
      }
    }
  },
  renderer: {
    root: here('src/renderer'),
    plugins: [react(), servedFromRoot],
    build: {
      outDir: here('out/renderer'),
      assetsDir: 'static',
      minify: true,
      rollupOptions: { input: [here('src/renderer/index.html'), here('src/renderer/api-docs.html')] }
    }
  }
})

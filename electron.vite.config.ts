import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

const here = (path: string) => resolve(import.meta.dirname, path)

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
    plugins: [react()],
    build: {
      outDir: here('out/renderer'),
      assetsDir: 'static',
      minify: true,
      rollupOptions: { input: [here('src/renderer/index.html'), here('src/renderer/api-docs.html')] }
    }
  }
})

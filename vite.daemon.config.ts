import { builtinModules } from 'node:module'
import { resolve } from 'node:path'
import { defineConfig } from 'vite'

const natives = ['better-sqlite3', 'sharp', '@node-rs/crc32', 'ffmpeg-static', 'electron']
const here = (path: string) => resolve(import.meta.dirname, path)

// The daemon as two self-contained files (command line and utility process); only native modules stay outside.
export default defineConfig({
  // The Kafka client's other form reads a file that would have to lie beside ours.
  resolve: { alias: [{ find: /^@platformatic\/wasm-utils$/, replacement: '@platformatic/wasm-utils/bundled' }] },
  ssr: { noExternal: true, external: natives },
  build: {
    ssr: true,
    target: 'node22',
    outDir: 'out/daemon',
    emptyOutDir: true,
    sourcemap: true,
    minify: false,
    rollupOptions: {
      input: { cli: here('src/daemon/cli.ts'), host: here('src/daemon/host.ts') },
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      external: [/^node:/, ...builtinModules, ...natives]
    }
  }
})

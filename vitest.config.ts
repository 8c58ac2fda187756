import { availableParallelism } from 'node:os'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

/** Left alone, two processors have one worker. */
const maxWorkers = Math.max(2, availableParallelism() - 1)
const patience = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 15_000 } } }

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'lives',
          environment: 'node',
          pool: 'forks',
          include: ['src/daemon/lives-*.test.ts'],
          setupFiles: ['test/patience.ts'],
          ...patience,
          // What takes longest comes first and side by side.
          sequence: { groupOrder: 0 },
          maxWorkers
        }
      },
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          pool: 'forks',
          include: ['src/{shared,daemon,demo,main}/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['src/daemon/lives-*.test.ts'],
          setupFiles: ['test/patience.ts'],
          ...patience,
          sequence: { groupOrder: 1 },
          maxWorkers
        }
      },
      {
        extends: true,
        plugins: [react()],
        test: {
          name: 'web',
          environment: 'jsdom',
          include: ['src/renderer/**/*.test.{ts,tsx}'],
          setupFiles: ['test/patience.ts', 'test/web-setup.ts'],
          ...patience,
          sequence: { groupOrder: 1 },
          maxWorkers
        }
      }
    ]
  }
})

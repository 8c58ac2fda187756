import { vi } from 'vitest'

// What is waited for comes, only later where the machine is busy: by itself `vi.waitFor` gives up after a second.
const PATIENCE_MS = 15_000
const { waitFor } = vi
vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === 'number' ? options : { timeout: PATIENCE_MS, ...options })

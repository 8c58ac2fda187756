import { expect, type Page } from '@playwright/test'
import type { FakeMediaMtx } from '../src/daemon/testing/fake-mediamtx/fake-mediamtx.ts'

/** Waits until the one stream on the wall is told to be recorded: its file has to grow, and does as the time of the fake passes. */
export async function untilRecording(page: Page, mediamtx: FakeMediaMtx): Promise<void> {
  const isTold = async () => {
    mediamtx.advanceClock(1000)
    return page.getByTestId('source').getByText('Recording', { exact: true }).isVisible()
  }
  await expect.poll(isTold, { timeout: 60_000, intervals: [1000] }).toBe(true)
}

import { describe } from 'vitest'
import { findFfmpeg } from '../media/find-ffmpeg.ts'
import { startFakeMediaMtx } from '../testing/fake-mediamtx/start-fake-mediamtx.ts'
import { findRealMediaMtx, startRealMediaMtx } from '../testing/real-mediamtx.ts'
import type { StartTarget } from './contract/driver.ts'
import { mediaMtxContract } from './mediamtx-contract.ts'

const startFake: StartTarget = async (config) => {
  const fake = await startFakeMediaMtx({ config })
  return {
    urls: fake.urls,
    recordRoot: fake.recordRoot ?? '',
    publish: (path) => fake.publish(path),
    unpublish: (path) => fake.unpublish(path),
    restart: () => fake.restart(),
    rewriteConfigFile: (paths) => fake.reloadFile(paths),
    close: () => fake.close()
  }
}

describe('the contract of MediaMTX, kept by the fake', () => mediaMtxContract(startFake))

const program = findRealMediaMtx()
if (program === null) {
  console.warn('no mediamtx: set FLIGHTCASE_MEDIAMTX_BIN, or put it on PATH, to hold the real program to its contract')
} else if (findFfmpeg() === null) {
  console.warn('no ffmpeg: the real mediamtx is not held to its contract, since nobody could send it a stream')
}

describe.skipIf(program === null || findFfmpeg() === null)('the contract of MediaMTX, kept by the real program', () =>
  mediaMtxContract((settings, authorization) => startRealMediaMtx(program ?? '', settings, authorization))
)

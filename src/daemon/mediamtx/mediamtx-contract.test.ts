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

const program = await findRealMediaMtx()
const canSend = findFfmpeg() !== null
if (program !== null && !canSend) console.warn('no test with the real MediaMTX: without ffmpeg nobody can send to it')

describe.skipIf(program === null || !canSend)('the contract of MediaMTX, kept by the real program', () =>
  mediaMtxContract((settings, authorization) => startRealMediaMtx(program!, settings, authorization))
)

import { join } from 'node:path'
import type { Express } from 'express'
import type { Database } from '../../db/database.ts'
import type { Feature } from '../../feature.ts'
import { PilotRepository } from './pilot.repository.ts'
import { createPilotApp, type PilotAppDeps } from './pilot.routes.ts'
import { PilotService, type PilotServiceDeps } from './pilot.service.ts'
import { ProtocolRecorder } from './protocol-recorder.ts'

export interface PilotDeps
  extends Omit<PilotServiceDeps, 'repository'>,
    Pick<PilotAppDeps, 'authenticate' | 'observe' | 'isStopping'> {
  db: Database
  dataDir: string
}

export interface PilotFeature extends Feature {
  /** The application of the field listener. */
  app: Express
}

/** What DJI Pilot 2 talks to. */
export function createPilot(deps: PilotDeps): PilotFeature {
  const { db, store, config, dataDir, log } = deps
  const service = new PilotService({ ...deps, repository: new PilotRepository(db, store.kind) })
  const recorder = config.recorder ? new ProtocolRecorder(join(dataDir, 'pilot-recorder.jsonl'), log) : null
  return {
    app: createPilotApp({ ...deps, service, recorder }),
    stop: async () => recorder?.flush()
  }
}

import type { Endpoint } from '../endpoint.ts'
import { assetChangesContract } from './asset-changes.ts'
import { assetsContract } from './assets.ts'
import { auditContract } from './audit.ts'
import { deletionsContract } from './deletions.ts'
import { deliveryContract } from './delivery.ts'
import { doctorContract } from './doctor.ts'
import { eventsContract } from './events.ts'
import { fieldContract } from './field.ts'
import { jobsContract } from './jobs.ts'
import { lifecycleContract } from './lifecycle.ts'
import { pilotContract } from './pilot.ts'
import { recordingsContract } from './recordings.ts'
import { referencesContract } from './references.ts'
import { remoteContract } from './remote.ts'
import { renditionsContract } from './renditions.ts'
import { settingsContract } from './settings.ts'
import { similarContract } from './similar.ts'
import { sinksContract } from './sinks.ts'
import { sourcesContract } from './sources.ts'
import { storageContract } from './storage.ts'
import { assetRecordingsContract, streamAssetsContract } from './stream-assets.ts'
import { systemContract } from './system.ts'
import { tieringContract } from './tiering.ts'
import { tusContract } from './tus.ts'
import { uploadsContract } from './uploads.ts'
import { webhooksContract } from './webhooks.ts'
import { workspacesContract } from './workspaces.ts'

/** Every operation of the admin listener: what OpenAPI documents and what the daemon must bind, no more and no less. */
export const adminContract: readonly Endpoint[] = [
  ...fieldContract,
  ...assetsContract,
  ...assetChangesContract,
  ...uploadsContract,
  ...deliveryContract,
  ...tusContract,
  ...renditionsContract,
  ...similarContract,
  ...referencesContract,
  ...lifecycleContract,
  ...deletionsContract,
  ...tieringContract,
  ...remoteContract,
  ...workspacesContract,
  ...jobsContract,
  ...eventsContract,
  ...sinksContract,
  ...auditContract,
  ...webhooksContract,
  ...sourcesContract,
  ...streamAssetsContract,
  ...recordingsContract,
  ...assetRecordingsContract,
  ...storageContract,
  ...settingsContract,
  ...systemContract,
  ...doctorContract
]

/** Everything the API document describes. */
export const apiContract: readonly Endpoint[] = [...adminContract, ...pilotContract]

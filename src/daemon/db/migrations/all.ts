import type { Migration } from '../migrate.ts'
import { initial } from './0010-initial.ts'
import { jobByDue } from './0020-job-by-due.ts'
import { shelvedFile } from './0030-shelved-file.ts'
import { references } from './0050-references.ts'
import { objectRemoval } from './0060-object-removal.ts'
import { upload } from './0070-upload.ts'
import { workspaceUsage } from './0080-workspace-usage.ts'
import { appendedUpload } from './0081-appended-upload.ts'
import { delivery } from './0090-delivery.ts'
import { renditionProblem } from './0100-rendition-problem.ts'
import { perceptualHash } from './0101-perceptual-hash.ts'
import { catalogue } from './0110-catalogue.ts'
import { collectorIndexes } from './0120-collector-indexes.ts'
import { expiryWarning } from './0121-expiry-warning.ts'
import { gcRun } from './0122-gc-run.ts'
import { delayedDeletion } from './0123-delayed-deletion.ts'
import { archive } from './0124-archive.ts'
import { purgeByBlob } from './0125-purge-by-blob.ts'
import { webhook } from './0130-webhook.ts'
import { sink } from './0131-sink.ts'
import { audit } from './0140-audit.ts'
import { tokenScope } from './0150-token-scope.ts'
import { idempotency } from './0151-idempotency.ts'
import { sessionActor } from './0152-session-actor.ts'
import { remoteMedia } from './0160-remote-media.ts'
import { facetsOfWorkspace } from './0165-facets-of-workspace.ts'
import { objectRoot } from './0170-object-root.ts'
import { source } from './0180-source.ts'
import { recordings } from './0190-recordings.ts'
import { removedSource } from './0200-removed-source.ts'
import { objectStore } from './0210-object-store.ts'

/** Every migration of the catalogue, oldest first. One that landed is never edited. */
export const migrations: readonly Migration[] = [
  initial,
  jobByDue,
  shelvedFile,
  references,
  objectRemoval,
  upload,
  workspaceUsage,
  appendedUpload,
  delivery,
  renditionProblem,
  perceptualHash,
  catalogue,
  collectorIndexes,
  expiryWarning,
  gcRun,
  delayedDeletion,
  archive,
  purgeByBlob,
  webhook,
  sink,
  audit,
  tokenScope,
  idempotency,
  sessionActor,
  remoteMedia,
  facetsOfWorkspace,
  objectRoot,
  source,
  recordings,
  removedSource,
  objectStore
]

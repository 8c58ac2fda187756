import { api } from '../../lib/api.ts'
import { connection } from '../../lib/live-updates.ts'
import { session } from '../../lib/session.ts'
import { digestInWorker } from './browser/digest-in-worker.ts'
import { openDropped } from './browser/dropped-files.ts'
import { openIndexedMemory } from './browser/indexed-memory.ts'
import { sendPartByXhr } from './browser/send-part.ts'
import { UploadEngine } from './engine/upload-engine.ts'
import { busyStates } from './engine/upload-item.ts'
import { noMemory, type UploadMemory } from './engine/upload-memory.ts'

let memory: UploadMemory = noMemory

/** The uploads of this page; they outlive every screen. */
export const uploads = new UploadEngine({
  api,
  sendPart: sendPartByXhr,
  digest: digestInWorker,
  openSource: openDropped,
  memory: {
    load: () => memory.load(),
    save: (upload) => memory.save(upload),
    forget: (ids) => memory.forget(ids)
  }
})

let isStarted = false

/** Takes up what was left unfinished, once per page, and follows connection and session from then on. */
export async function startUploads(): Promise<void> {
  if (isStarted) return
  isStarted = true
  connection.subscribe(() => connection.get().state === 'live' && uploads.hurry())
  session.subscribe(() => session.get().state === 'open' && uploads.hurry())
  uploads.subscribe(() => {
    const { hindrance } = uploads.get()
    if (hindrance === 'session_ended' && session.get().state === 'open') session.set({ state: 'none', reason: 'ended' })
  })
  window.addEventListener('beforeunload', (event) => {
    if (uploads.get().items.some(({ state }) => busyStates.has(state))) event.preventDefault()
  })
  memory = await openIndexedMemory()
  await uploads.restore()
}

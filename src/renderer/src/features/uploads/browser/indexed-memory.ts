import { noMemory, type SavedUpload, type UploadMemory } from '../engine/upload-memory.ts'

const databaseName = 'flightcase-uploads'
const storeName = 'uploads'
/** Many parts and files change together. */
const flushMs = 200

/** As it lies in the browser: with the page that works on it. */
type Row = SavedUpload & { pageId: string }

const pageId = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(36)).join('')
const lockOf = (id: string) => `flightcase.uploads.${id}`

function whenDone<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(databaseName, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(storeName, { keyPath: 'id' })
  return whenDone(request)
}

/** Holds this page's name until it is gone. Where there are no locks (another address than this machine), nobody can tell. */
async function holdLock(): Promise<void> {
  await new Promise<void>((resolve) => {
    if (!navigator.locks) return resolve()
    void navigator.locks.request(lockOf(pageId), () => {
      resolve()
      return new Promise(() => {})
    })
  })
}

/** Whether a page is still there, and works on its uploads itself. */
async function isAlive(id: string): Promise<boolean> {
  if (id === pageId) return true
  if (!navigator.locks) return false
  return navigator.locks.request(lockOf(id), { ifAvailable: true }, (lock) => lock === null)
}

/** Remembers uploads in the browser's database; in one that has none, they end with the page. */
export async function openIndexedMemory(): Promise<UploadMemory> {
  const database = await openDatabase().catch(() => null)
  if (database === null) return noMemory
  await holdLock()
  const changes = new Map<string, Row | null>()
  let timer: ReturnType<typeof setTimeout> | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (!database || changes.size === 0) return
    const store = database.transaction(storeName, 'readwrite').objectStore(storeName)
    for (const [id, row] of changes) {
      if (row === null) store.delete(id)
      else store.put(row)
    }
    changes.clear()
  }

  function change(id: string, row: Row | null): void {
    changes.set(id, row)
    timer ??= setTimeout(flush, flushMs)
  }
  addEventListener('pagehide', flush)

  return {
    async load() {
      const store = database.transaction(storeName, 'readonly').objectStore(storeName)
      const rows: Row[] = await whenDone(store.getAll())
      const alive = new Map<string, boolean>()
      for (const { pageId: owner } of rows) if (!alive.has(owner)) alive.set(owner, await isAlive(owner))
      const left = rows.filter((row) => !alive.get(row.pageId))
      for (const row of left) change(row.id, { ...row, pageId })
      return left.map(({ pageId: _, ...saved }) => saved)
    },
    save: (upload) => change(upload.id, { ...upload, pageId }),
    forget(uploadIds) {
      for (const id of uploadIds) change(id, null)
    }
  }
}

import type { PickedFile } from '../engine/upload-engine.ts'

/** What systems put into folders for themselves. */
const junk = /^(\._.*|\.DS_Store|Thumbs\.db|desktop\.ini)$/i

/** How a file of a drop is found again: the handle of what was dropped, and the way from there. */
export interface FileSource {
  root: FileSystemHandle
  path: string[]
}

type HandledItem = DataTransferItem & { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> }

/** Whether something that is dragged here has files. */
export function hasFiles(transfer: DataTransfer | null): boolean {
  return transfer?.types.includes('Files') ?? false
}

/** The files of a drop, folders and their folders included. To be called in the drop event itself, which ends their being there. */
export async function filesOfDrop(transfer: DataTransfer): Promise<PickedFile[]> {
  const roots = [...transfer.items]
    .filter(({ kind }) => kind === 'file')
    .map((item: HandledItem) => ({
      entry: item.webkitGetAsEntry(),
      file: item.getAsFile(),
      // Only browsers that keep handles have this, and only on a trusted address.
      handle: item.getAsFileSystemHandle?.().catch(() => null) ?? Promise.resolve(null)
    }))
  const found: PickedFile[] = []
  for (const { entry, file, handle } of roots) {
    const root = await handle
    if (entry) await walk(entry, root, [], found)
    else if (file) found.push({ file, folder: '', source: root && { root, path: [] } })
  }
  return found
}

/** The files of a file or folder choice. */
export function filesOfInput(files: FileList): PickedFile[] {
  return [...files]
    .map((file) => ({ file, folder: file.webkitRelativePath.split('/').slice(0, -1).join('/'), source: null }))
    .filter(({ file, folder }) => folder === '' || !junk.test(file.name))
}

async function walk(
  entry: FileSystemEntry,
  root: FileSystemHandle | null,
  path: string[],
  found: PickedFile[]
): Promise<void> {
  if (entry.isFile) {
    if (path.length > 0 && junk.test(entry.name)) return
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    const source: FileSource | null = root && { root, path }
    found.push({ file, folder: entry.fullPath.split('/').slice(1, -1).join('/'), source })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const next = () => new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
  // A hundred at a time, until there are none.
  for (let batch = await next(); batch.length > 0; batch = await next())
    for (const child of batch) await walk(child, root, [...path, child.name], found)
}

type AskableHandle = FileSystemHandle & {
  queryPermission?: (options: { mode: 'read' }) => Promise<PermissionState>
  requestPermission?: (options: { mode: 'read' }) => Promise<PermissionState>
}

/** Opens a file of an earlier drop; null when it is gone or reading it is not allowed. Asking needs a person's click. */
export async function openDropped(source: unknown, { mayAsk }: { mayAsk: boolean }): Promise<File | null> {
  const { root, path } = source as FileSource
  const handle: AskableHandle = root
  try {
    const asked = mayAsk ? handle.requestPermission : handle.queryPermission
    if ((await asked?.call(handle, { mode: 'read' })) !== 'granted') return null
    if (root instanceof FileSystemFileHandle) return await root.getFile()
    let folder = root as FileSystemDirectoryHandle
    for (const name of path.slice(0, -1)) folder = await folder.getDirectoryHandle(name)
    return await (await folder.getFileHandle(path.at(-1) ?? '')).getFile()
  } catch {
    // Moved, or the card is out: the person is asked to give it again.
    return null
  }
}

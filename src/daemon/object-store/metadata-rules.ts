import { ObjectStoreError } from './object-store.ts'

const NAME = /^[a-z0-9][a-z0-9._-]*$/
const VALUE = /^[\u0020-\u007e]*$/
const MAX_BYTES = 2048

/**
 * Checks metadata we write ourselves: what every S3 server and proxy carries unchanged, which is lower-case names, printable ASCII values
 * without outer spaces, 2 KiB in all. Raises `InvalidArgument`.
 */
export function assertPortableMetadata(metadata: Record<string, string> | undefined): void {
  let bytes = 0
  for (const [name, value] of Object.entries(metadata ?? {})) {
    if (!NAME.test(name) || !VALUE.test(value) || value !== value.trim())
      throw new ObjectStoreError('InvalidArgument', `The metadata "${name}" holds what a header cannot carry.`)
    bytes += name.length + value.length
  }
  if (bytes > MAX_BYTES) throw new ObjectStoreError('InvalidArgument', 'The metadata is larger than 2 KiB.')
}

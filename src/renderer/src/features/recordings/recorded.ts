/** A stream as far as its recordings are concerned, which may outlive it. */
export interface Recorded {
  id: string
  name: string
  isRemoved: boolean
}

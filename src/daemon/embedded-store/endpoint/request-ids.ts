import { randomBytes } from 'node:crypto'

/** The two names by which S3 clients report a request: 16 upper-case hex digits, and a longer one that means nothing to them. */
export function newRequestIds(): { requestId: string; hostId: string } {
  // One call for both: each costs more than the bytes it gives.
  const random = randomBytes(32)
  return { requestId: random.toString('hex', 0, 8).toUpperCase(), hostId: random.toString('base64', 8) }
}

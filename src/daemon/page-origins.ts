import { hostname } from 'node:os'
import { lanAddresses } from './lan-addresses.ts'

/**
 * Origins of the pages this program shows (Fetch standard), by each name and address its computer goes by, with the one under which a
 * reverse proxy shows them.
 */
export function ownPageOrigins(ports: readonly number[], publicUrl: string | null): string[] {
  const name = hostname().toLowerCase()
  const hosts = ['localhost', '127.0.0.1', '[::1]', name, `${name}.local`, ...lanAddresses()]
  const origins = ports.flatMap((port) => hosts.map((host) => new URL(`http://${host}:${port}`).origin))
  return publicUrl === null ? origins : [...origins, new URL(publicUrl).origin]
}

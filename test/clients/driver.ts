import { join } from 'node:path'
import type { Site } from './client.ts'

/** The site for a driver in another language: JSON in the environment variable `SITE`, absent values empty. */
export function driverSettings(site: Site): { SITE: string } {
  return {
    SITE: JSON.stringify({
      endpoint: site.endpoint,
      secureEndpoint: site.secure?.endpoint ?? '',
      caFile: site.secure?.caFile ?? '',
      region: site.region,
      bucket: site.bucket,
      prefix: site.prefix,
      foreignKey: site.foreignKey,
      kind: site.kind,
      accessKeyId: site.credentials.accessKeyId,
      secretAccessKey: site.credentials.secretAccessKey,
      sessionToken: site.credentials.sessionToken ?? '',
      isOurs: site.isOurs,
      directory: site.directory,
      film: site.film.file,
      clip: join(site.card.directory, site.card.clip)
    })
  }
}

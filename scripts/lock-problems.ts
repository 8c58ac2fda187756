import { z } from 'zod'

const entrySchema = z.object({
  version: z.string().optional(),
  integrity: z.string().optional(),
  resolved: z.string().optional(),
  link: z.boolean().optional(),
  inBundle: z.boolean().optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
  devDependencies: z.record(z.string(), z.string()).optional()
})
const lockSchema = z.object({ lockfileVersion: z.literal(3), packages: z.record(z.string(), entrySchema) })

type Packages = z.infer<typeof lockSchema>['packages']

/**
 * What is wrong with a package-lock.json (parsed): dependencies that no entry satisfies, which npm drops silently for
 * platforms other than the author's and `npm ci` then refuses everywhere; entries without a hash; recorded addresses.
 * Answers one line per problem; throws a `ZodError` for something that is no version 3 lock.
 */
export function lockProblems(lock: unknown): string[] {
  const { packages } = lockSchema.parse(lock)
  const problems: string[] = []
  for (const [path, entry] of Object.entries(packages)) {
    const name = path || 'the project'
    if (path && !entry.link && !entry.inBundle && !entry.integrity) problems.push(`${name}: no integrity hash`)
    if (entry.resolved && !entry.link) problems.push(`${name}: records an address`)
    const wanted = { ...entry.devDependencies, ...entry.dependencies, ...entry.optionalDependencies }
    for (const [dependency, range] of Object.entries(wanted)) {
      const found = resolveFrom(packages, path, dependency)
      if (!found) problems.push(`${name}: ${dependency} is missing`)
      else if (isExact(range) && found.version !== range)
        problems.push(`${name}: wants ${dependency} ${range}, the lock has ${found.version}`)
    }
  }
  return problems
}

/** Node's own search: the nearest node_modules upwards from the dependent package. */
function resolveFrom(packages: Packages, path: string, dependency: string): Packages[string] | undefined {
  for (let folder = path; ; folder = parentPackage(folder)) {
    const found = packages[`${folder ? `${folder}/` : ''}node_modules/${dependency}`]
    if (found || !folder) return found
  }
}

function parentPackage(path: string): string {
  const cut = path.lastIndexOf('node_modules/')
  return cut <= 0 ? '' : path.slice(0, cut - 1)
}

function isExact(range: string): boolean {
  return /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range)
}

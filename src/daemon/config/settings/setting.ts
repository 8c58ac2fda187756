import { z } from 'zod'

/** What a setting is called in each source and how its text is checked. */
export interface SettingDefinition {
  /** Dotted name in flightcase.toml. */
  toml: string
  env: string
  /** Command line option of `serve`, when it has one. */
  flag?: string
  help: string
  secret?: true
  schema: z.ZodType
}

/** Declares a setting; only fixes the type. */
export function setting<const T extends SettingDefinition>(definition: T): T {
  return definition
}

/** The checked values of some settings; what nobody set is absent. */
export type ValuesOf<Settings extends Record<string, SettingDefinition>> = {
  [Name in keyof Settings]?: z.output<Settings[Name]['schema']>
}

/** Without slashes at its end. Addresses are shown to everybody who may look, so they hold no secret. */
export const httpUrlSchema = z
  .url({ protocol: /^https?$/, error: 'must be a URL beginning with http:// or https://' })
  .refine((url) => !hasUser(url), 'must not hold a user name or password')
  .transform((url) => url.replace(/\/+$/, ''))

function hasUser(url: string): boolean {
  const parsed = URL.canParse(url) ? new URL(url) : null
  return parsed !== null && `${parsed.username}${parsed.password}` !== ''
}

/** An array in the file; elsewhere one text with commas. */
export const listSchema = (item: z.ZodType<string, string>) =>
  z
    .union([
      z.array(z.string()),
      z.string().transform((text) =>
        text
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== '')
      )
    ])
    .pipe(z.array(item))

const HOST_NAME = '[a-z0-9_-]+(\\.[a-z0-9_-]+)*'
/** A host name, lower case; `prefix` is a pattern of what may stand before it. */
export const hostSchema = (prefix: string) =>
  z
    .string()
    .toLowerCase()
    .regex(new RegExp(`^${prefix}${HOST_NAME}$`), 'must be host names without scheme and port')

export const switchSchema = z.union([z.boolean(), z.stringbool()])

/** A number from 0 to `max`. */
export const amountSchema = (max: number) =>
  z
    .string()
    .regex(/^\d{1,9}(\.\d{1,9})?$/, 'must be a number')
    .transform(Number)
    .pipe(z.number().max(max, `must be at most ${max}`))

/** Travels in headers, and in `Authorization` up to the next space. */
export const tokenSchema = z
  .string()
  .min(8, 'must have at least 8 characters')
  .regex(/^[!-~]*$/, 'may hold letters, digits and signs of ASCII, but no spaces')

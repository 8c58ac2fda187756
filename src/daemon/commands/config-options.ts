import type { Command } from 'commander'
import { defaultDataDir, type Flags, loadConfig } from '../config/load.ts'
import { type Config, defaultText, type SettingName, settings } from '../config/schema.ts'

/** Adds `--config` and an option for every setting that has one. */
export function addConfigOptions(command: Command, names = Object.keys(settings) as SettingName[]): Command {
  command.option('--config <file>', 'configuration file (default: flightcase.toml in the data folder)')
  for (const name of names) {
    const definition = settings[name]
    if (!('flag' in definition)) continue
    const takesValue = name !== 'pilotRecorder'
    command.option(
      takesValue ? `${definition.flag} <value>` : definition.flag,
      `${definition.help}${defaultInHelp(name)} [${definition.env}]`
    )
  }
  return command
}

/** Not given to the parser as a default: it would then win over the environment and the file. */
function defaultInHelp(name: SettingName): string {
  const text = name === 'dataDir' ? defaultDataDir(process.env) : defaultText(name)
  return text === null ? '' : ` (default: ${text})`
}

/** The configuration from a command's parsed options and the environment. Throws `StartupError`. */
export function configFromOptions(options: Record<string, unknown>): Config {
  const flags: Flags = {}
  for (const name of Object.keys(settings) as SettingName[]) {
    const definition = settings[name]
    if (!('flag' in definition)) continue
    const value = options[camelCase(definition.flag)]
    if (typeof value === 'string' || typeof value === 'boolean') flags[name] = value
  }
  const configPath = options['config']
  return loadConfig({ flags, env: process.env, configPath: typeof configPath === 'string' ? configPath : undefined })
}

/** What commander calls an option: `--data-dir` is `dataDir`. */
function camelCase(flag: string): string {
  return flag.replace(/^--/, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

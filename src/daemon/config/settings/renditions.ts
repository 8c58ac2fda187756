import { z } from 'zod'
import { setting, type ValuesOf } from './setting.ts'

export interface RenditionsConfig {
  /** When films that browsers cannot play are made again: as soon as they arrive, when somebody wants to see them, or never. */
  proxy: 'auto' | 'on_demand' | 'off'
}

/** What is made of files, and with what. */
export const renditionsSettings = {
  renditionsProxy: setting({
    toml: 'renditions.proxy',
    env: 'FLIGHTCASE_RENDITIONS_PROXY',
    help: 'auto, on_demand or off: when films that browsers cannot play are made again as H.264',
    schema: z.enum(['auto', 'on_demand', 'off'])
  }),
  ffmpeg: setting({
    toml: 'ffmpeg',
    env: 'FLIGHTCASE_FFMPEG',
    help: 'ffmpeg program, when it is not on the PATH',
    schema: z.string().min(1)
  })
} as const

export const renditionsDefaults = {
  renditionsProxy: 'auto'
} as const satisfies ValuesOf<typeof renditionsSettings>

export function renditionsConfig(values: ValuesOf<typeof renditionsSettings>): RenditionsConfig {
  return { proxy: values.renditionsProxy ?? renditionsDefaults.renditionsProxy }
}

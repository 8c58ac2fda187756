import type { en } from './en.ts'

type Texts<T> = {
  // Languages with one plural form leave `_one` out.
  [K in keyof T as K extends `${string}_one` ? never : K]: T[K] extends string ? string : Texts<T[K]>
}

/** What every other language must provide: the keys of English. */
export type Translation = Texts<typeof en>

/** What is the matter with a file of a recording, by what is found in the words of the program that looked; first match first. */
const damages = [
  ['cutOff', /^it is cut off/],
  ['empty', /^the file is empty|^it holds no pictures/],
  ['times', /^it claims to be|timestamp|\bdts\b|\bpts\b/i]
] as const

export type Damage = (typeof damages)[number][0] | 'unreadable'

/** Which of the usual damages a file has. */
export function damageOf(problem: string): Damage {
  return damages.find(([, pattern]) => pattern.test(problem))?.[0] ?? 'unreadable'
}

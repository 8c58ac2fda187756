import {
  type Check,
  type CheckId,
  type CheckState,
  checkIds,
  endings,
  type FindingCode,
  findings
} from '../../../shared/api/doctor.ts'
import { messageOf } from '../../errors.ts'

/** What a check found; the rest of {@link Check} follows from its code. */
export interface Finding<Id extends CheckId> extends Told {
  code: FindingCode<Id>
}

interface Told {
  code: string
  facts?: Check['facts']
  copy?: string[]
}

/** How each check is made; one that is left out cannot be made here. */
export type Checks = { [Id in CheckId]?: () => Finding<Id> | Promise<Finding<Id>> }

const LIMIT_MS = 8000

/**
 * Makes the checks at the same time, each for as long as it may take; one that does not end or fails is told as that. The
 * catalogue is looked at after all others: to read it through stops this thread, on which they would seem not to answer.
 */
export async function runChecks(checks: Checks, limitMs = LIMIT_MS): Promise<Check[]> {
  const { database, ...others } = checks
  const found = [...(await together(others, limitMs)), ...(await together(database ? { database } : {}, limitMs))]
  return found.sort((a, b) => checkIds.indexOf(a.id) - checkIds.indexOf(b.id))
}

function together(checks: Checks, limitMs: number): Promise<Check[]> {
  return Promise.all(
    checkIds.flatMap((id) => {
      const look = checks[id]
      return look === undefined ? [] : [inTime(look, limitMs).then((finding) => checkOf(id, finding))]
    })
  )
}

async function inTime(look: () => Told | Promise<Told>, limitMs: number): Promise<Told> {
  let timer: NodeJS.Timeout | undefined
  try {
    const finding = look()
    // Only from here on: while a look keeps this thread, nobody can tell whether it answers.
    const silence = new Promise<Told>((resolve) => {
      timer = setTimeout(() => resolve({ code: 'no_answer', facts: { limitMs } }), limitMs)
    })
    return await Promise.race([finding, silence])
  } catch (error) {
    return { code: 'failed', facts: { reported: messageOf(error) } }
  } finally {
    clearTimeout(timer)
  }
}

function checkOf(id: CheckId, { code, facts = {}, copy = [] }: Told): Check {
  const states: Record<string, CheckState> = { ...findings[id], ...endings }
  const state = states[code]
  if (state === undefined) throw new Error(`the check ${id} has no finding ${code}`)
  return { id, state, code, facts, copy }
}

import type { DaemonFailure, DaemonStatus } from '../shared/bridge.ts'
import type { HostReport } from '../shared/host-messages.ts'
import type { ReadyInfo } from '../shared/ready.ts'

/** The time limits of the supervisor, all in milliseconds. */
export const supervisorTimes = {
  /** After this the window says that the start is slow. Killing here could cut a long migration, again and again. */
  startSlowMs: 30_000,
  /** A daemon that reported `failed` has this long to exit by itself. */
  failedExitMs: 5_000,
  firstPauseMs: 1_000,
  longestPauseMs: 30_000,
  /** A daemon that stayed up this long starts the pauses over. */
  steadyMs: 60_000,
  /** Longer than the phases of the daemon's own stop together; only a daemon that hangs is killed. */
  stopMs: 40_000,
  killMs: 5_000
}

export type SupervisorState =
  | { name: 'stopped' }
  | {
      name: 'starting'
      failures: number
      slow: boolean
      /** Set when this start is already lost and only the exit is awaited. */
      failure: DaemonFailure | null
      lastFailure: DaemonFailure | null
      restartOnExit: boolean
    }
  | { name: 'running'; failures: number; sinceMs: number; ready: ReadyInfo; busy: boolean }
  | { name: 'pausing'; failures: number; failure: DaemonFailure; untilMs: number }
  | { name: 'stopping'; killed: boolean }

export type SupervisorEvent =
  | { type: 'start' }
  | { type: 'retry' }
  | { type: 'quit' }
  | { type: 'wake' }
  | { type: 'exited'; code: number }
  | HostReport

export type SupervisorAction = 'fork' | 'ask-to-stop' | 'kill'

export interface SupervisorStep {
  state: SupervisorState
  actions: SupervisorAction[]
  /** Milliseconds until a `wake` event is due; null cancels the one under way, undefined leaves it. */
  wakeInMs?: number | null
}

/** The state before anything was started. */
export const initialSupervisorState: SupervisorState = { name: 'stopped' }

/**
 * Decides what happens to the daemon's process: from a state and an event to the next state and what to do.
 * Events that mean nothing in a state leave it unchanged. At most one process exists at any time.
 */
export function superviseDaemon(state: SupervisorState, event: SupervisorEvent, nowMs: number): SupervisorStep {
  if (event.type === 'quit') return quit(state)
  switch (state.name) {
    case 'stopped':
      return event.type === 'start' ? fork(0, null) : unchanged(state)
    case 'starting':
      return whileStarting(state, event, nowMs)
    case 'running':
      return whileRunning(state, event, nowMs)
    case 'pausing':
      return event.type === 'wake' || event.type === 'retry' ? fork(state.failures, state.failure) : unchanged(state)
    case 'stopping':
      return whileStopping(state, event)
  }
}

/** The part of a state that a person is told. */
export function statusOf(state: SupervisorState): DaemonStatus {
  switch (state.name) {
    case 'starting':
      return { state: 'starting', slow: state.slow, lastFailure: state.failure ?? state.lastFailure }
    case 'running':
      return { state: 'running', busy: state.busy }
    case 'pausing':
      return { state: 'failed', failure: state.failure, retryAtMs: state.untilMs }
    default:
      return { state: state.name }
  }
}

function unchanged(state: SupervisorState): SupervisorStep {
  return { state, actions: [] }
}

function fork(failures: number, lastFailure: DaemonFailure | null): SupervisorStep {
  return {
    state: { name: 'starting', failures, slow: false, failure: null, lastFailure, restartOnExit: false },
    actions: ['fork'],
    wakeInMs: supervisorTimes.startSlowMs
  }
}

function pause(failures: number, failure: DaemonFailure, nowMs: number): SupervisorStep {
  const { firstPauseMs, longestPauseMs } = supervisorTimes
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures)
  return {
    state: { name: 'pausing', failures: failures + 1, failure, untilMs: nowMs + pauseMs },
    actions: [],
    wakeInMs: pauseMs
  }
}

function quit(state: SupervisorState): SupervisorStep {
  if (state.name === 'stopping') return unchanged(state)
  if (state.name === 'stopped' || state.name === 'pausing')
    return { state: { name: 'stopped' }, actions: [], wakeInMs: null }
  return { state: { name: 'stopping', killed: false }, actions: ['ask-to-stop'], wakeInMs: supervisorTimes.stopMs }
}

function whileStarting(
  state: Extract<SupervisorState, { name: 'starting' }>,
  event: SupervisorEvent,
  nowMs: number
): SupervisorStep {
  switch (event.type) {
    case 'ready':
      return {
        state: { name: 'running', failures: state.failures, sinceMs: nowMs, ready: event.ready, busy: false },
        actions: [],
        wakeInMs: null
      }
    case 'failed':
      return {
        state: { ...state, failure: { code: event.code, message: event.message } },
        actions: [],
        wakeInMs: supervisorTimes.failedExitMs
      }
    case 'wake':
      return state.failure
        ? { state, actions: ['kill'] }
        : { state: { ...state, slow: true }, actions: [], wakeInMs: null }
    case 'retry':
      return state.slow && !state.restartOnExit
        ? { state: { ...state, restartOnExit: true }, actions: ['kill'], wakeInMs: null }
        : unchanged(state)
    case 'exited':
      return state.restartOnExit
        ? fork(state.failures, state.lastFailure)
        : pause(state.failures, state.failure ?? unexpectedExit(event.code), nowMs)
    default:
      return unchanged(state)
  }
}

function whileRunning(
  state: Extract<SupervisorState, { name: 'running' }>,
  event: SupervisorEvent,
  nowMs: number
): SupervisorStep {
  switch (event.type) {
    case 'activity':
      return { state: { ...state, busy: event.busy }, actions: [] }
    case 'exited': {
      const steady = nowMs - state.sinceMs >= supervisorTimes.steadyMs
      return pause(steady ? 0 : state.failures, unexpectedExit(event.code), nowMs)
    }
    default:
      return unchanged(state)
  }
}

function whileStopping(state: Extract<SupervisorState, { name: 'stopping' }>, event: SupervisorEvent): SupervisorStep {
  if (event.type === 'exited') return { state: { name: 'stopped' }, actions: [], wakeInMs: null }
  if (event.type !== 'wake') return unchanged(state)
  // A process that outlives even the kill must not keep the application from quitting.
  return state.killed
    ? { state: { name: 'stopped' }, actions: [], wakeInMs: null }
    : { state: { name: 'stopping', killed: true }, actions: ['kill'], wakeInMs: supervisorTimes.killMs }
}

function unexpectedExit(code: number): DaemonFailure {
  return { code: 'daemon_exited', message: `The media base stopped unexpectedly (exit code ${code}).` }
}

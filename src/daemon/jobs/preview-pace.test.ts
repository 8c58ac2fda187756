import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PreviewPace } from './preview-pace.ts'

describe('preview pace', () => {
  let inFlight = 0
  let load = 0
  const onMore = vi.fn()
  let pace: PreviewPace

  beforeEach(() => {
    vi.useFakeTimers()
    inFlight = 0
    load = 0
    onMore.mockReset()
    pace = new PreviewPace({ inFlightBodies: () => inFlight, utilization: () => load, onMore })
    pace.start()
  })
  afterEach(() => {
    pace.stop()
    vi.useRealTimers()
  })

  it('gives previews both processors while nothing is uploaded, however busy the loop is', () => {
    load = 1
    vi.advanceTimersByTime(5000)
    expect(pace.processors()).toBe(2)
  })

  it('leaves one beside an upload that does not fill the loop', () => {
    inFlight = 1
    load = 0.4
    vi.advanceTimersByTime(5000)
    expect(pace.processors()).toBe(1)
  })

  it('holds previews back while uploads fill the loop, but for one sample in twenty', () => {
    inFlight = 4
    load = 0.95
    vi.advanceTimersByTime(250)
    const allowed: number[] = []
    for (let sample = 0; sample < 40; sample++) {
      allowed.push(pace.processors())
      vi.advanceTimersByTime(250)
    }
    expect(allowed.filter((processors) => processors === 1)).toHaveLength(2)
    expect(allowed.filter((processors) => processors === 0)).toHaveLength(38)
    expect(onMore).toHaveBeenCalledTimes(2)
  })

  it('begins no film while uploads fill the loop, and lets those that run go on afterwards', async () => {
    expect(pace.films()).toBe(1)
    inFlight = 1
    load = 0.95
    vi.advanceTimersByTime(250)
    expect(pace.films()).toBe(0)
    const goesOn = vi.fn()
    const waiting = pace.whenEased().then(goesOn)
    await Promise.resolve()
    expect(goesOn).not.toHaveBeenCalled()
    load = 0.2
    vi.advanceTimersByTime(250)
    await waiting
    expect(pace.films()).toBe(1)
  })

  it('goes on a second after the last upload, and says so', () => {
    inFlight = 1
    load = 0.95
    vi.advanceTimersByTime(250)
    inFlight = 0
    vi.advanceTimersByTime(750)
    expect(pace.processors()).toBe(0)
    vi.advanceTimersByTime(250)
    expect(pace.processors()).toBe(2)
    expect(onMore).toHaveBeenCalledOnce()
  })

  it('does not waver between its two limits', () => {
    inFlight = 1
    load = 0.6
    vi.advanceTimersByTime(250)
    expect(pace.processors()).toBe(1)
    load = 0.8
    vi.advanceTimersByTime(250)
    expect(pace.processors()).toBe(0)
    load = 0.6
    vi.advanceTimersByTime(250)
    expect(pace.processors()).toBe(0)
    load = 0.4
    vi.advanceTimersByTime(250)
    expect(pace.processors()).toBe(1)
  })
})

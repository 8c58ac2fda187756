import i18next from 'i18next'
import { expect, test } from 'vitest'
import { ApiError } from '../../../shared/api-client.ts'
import { type ProblemCode, problemCodes } from '../../../shared/problem.ts'
import { startI18n } from './i18n/i18n.ts'
import { setPreferences } from './preferences.ts'
import { problemText } from './problem-text.ts'

/** How a refusal reads in a language of the screen. */
function told(code: ProblemCode, language: 'en' | 'zh-CN'): string {
  setPreferences({ language })
  startI18n()
  const problem = { type: 'about:blank', title: code, status: 400, code, requestId: 'x' }
  return problemText(i18next.t, new ApiError(400, problem))
}

/** What the system that came before told people, and what this one does. */
test.each([
  ['live_unavailable', 'The streaming service is not available.', '流媒体服务暂不可用。'],
  ['path_exists', 'This path exists already. Try again.', '路径已存在，请重试。'],
  ['source_has_assets', 'It is an asset, too. Delete the asset first.', '存在关联的流媒体资产，请先删除或解除关联。'],
  ['invalid_request', 'The base did not understand the request.', '基站无法理解该请求。'],
  ['source_not_found', 'This stream is not here any more.', '此视频流已不存在。'],
  ['asset_not_found', 'This file is not in the base. It may have been removed.', '基站中没有此文件，可能已被移除。'],
  ['asset_not_stream', 'This asset is not a stream.', '此素材不是视频流。']
] as const)('%s is told in both languages', (code, english, chinese) => {
  expect([told(code, 'en'), told(code, 'zh-CN')]).toEqual([english, chinese])
})

test('every refusal of streams and recordings has words of its own', () => {
  const codes = problemCodes.filter((code) =>
    /^(live|source|pull|protocol|stream|snapshot|recording|clip|path)_/.test(code)
  )
  expect(codes.length).toBeGreaterThan(12)
  for (const language of ['en', 'zh-CN'] as const)
    for (const code of codes)
      expect([language, code, told(code, language)]).not.toEqual([language, code, expect.stringContaining(code)])
})

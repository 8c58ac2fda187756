import { expect } from 'vitest'
import { group, ok } from './conformance-bench.ts'
import { holdConformance } from './conformance-table.ts'

holdConformance('group-upload-callback', {
  C41: async (bench) => {
    const counts = () =>
      bench.base.db.prepare('SELECT expected_count AS expected, uploaded_count AS uploaded FROM flight').all()
    expect(await bench.post(group(), { file_group_id: 'g', file_count: 10, file_uploaded_count: 4 })).toEqual(ok({}))
    expect(counts()).toEqual([{ expected: 10, uploaded: 4 }])
    expect(await bench.post(group(), { file_group_id: 'g', file_count: 10, file_uploaded_count: 10 })).toEqual(ok({}))
    expect(await bench.post(group(), { file_group_id: 'g', file_count: '10', file_uploaded_count: '7' })).toEqual(
      ok({})
    )
    expect(counts()).toEqual([{ expected: 10, uploaded: 10 }])
    expect(await bench.post(group(), { file_group_id: 'g', file_count: 'ten', file_uploaded_count: 1 })).toMatchObject({
      status: 400
    })
  },

  C42: async (bench) => {
    expect(await bench.post(group(), { file_count: 1, file_uploaded_count: 1 })).toEqual(ok({}))
    expect(bench.base.db.prepare('SELECT * FROM flight').all()).toEqual([])
  }
})

import { expect, it } from 'vitest'
import { signChunkedPut } from './signed-chunks.ts'

// The example of Amazon's page "Signature calculations: transferring payload in multiple chunks".
it('signs the published example', async () => {
  const put = signChunkedPut({
    url: new URL('https://s3.amazonaws.com/examplebucket/chunkObject.txt'),
    key: {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      region: 'us-east-1'
    },
    headers: { 'content-encoding': 'aws-chunked', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    sizeBytes: 66_560,
    chunkBytes: 65_536,
    now: new Date('2013-05-24T00:00:00Z')
  })
  expect(put.headers['content-length']).toBe('66824')
  expect(put.headers.authorization).toContain('4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9')
  const frames: Buffer[] = []
  async function* chunks() {
    yield Buffer.alloc(65_536, 'a')
    yield Buffer.alloc(1024, 'a')
  }
  for await (const part of put.frame(chunks())) frames.push(part)
  const wire = Buffer.concat(frames).toString('latin1')
  expect(wire.length).toBe(66_824)
  expect(wire.match(/^[0-9a-f]+;chunk-signature=[0-9a-f]{64}(?=\r\n)/gm)).toEqual([
    '10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'
  ])
})

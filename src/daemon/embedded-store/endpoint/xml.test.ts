import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { S3Error } from './s3-error.ts'
import { childrenOf, childText, MAX_XML_BYTES, parseXml } from './xml-reader.ts'
import { s3Document, xmlDocument } from './xml-writer.ts'

function codeOf(body: Buffer | string, root = 'Delete'): string | undefined {
  try {
    parseXml(Buffer.from(body), root)
    return undefined
  } catch (error) {
    if (error instanceof S3Error) return error.code
    throw error
  }
}

const keysOf = (xml: string) =>
  childrenOf(parseXml(Buffer.from(xml), 'Delete'), 'Object').map((object) => childText(object, 'Key'))

describe('parseXml', () => {
  it('O23: keeps keys as text, untrimmed, with references decoded once', () => {
    const keys = [
      'a&amp;b',
      ' 0012',
      '1e5',
      'true',
      'x&#13;y',
      '&#x1F681;',
      '&amp;#34;',
      '<![CDATA[&amp;]]>',
      '&quot;&apos;'
    ]
    const xml = `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`
    expect(keysOf(xml)).toEqual(['a&b', ' 0012', '1e5', 'true', 'x\ry', '\u{1F681}', '&#34;', '&amp;', '"\''])
  })
  it('reads any namespace, declaration and indentation', () => {
    const xml =
      '<?xml version="1.0"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n <Quiet>true</Quiet>\n <s:Object xmlns:s="x"><s:Key>k</s:Key></s:Object>\n</Delete>\n'
    expect(keysOf(xml)).toEqual(['k'])
  })
  it('takes a thousand keys full of references', () => {
    const xml = `<Delete>${`<Object><Key>${'&amp;'.repeat(50)}</Key></Object>`.repeat(1000)}</Delete>`
    expect(keysOf(xml)).toHaveLength(1000)
  })
  it.each([
    ['nothing', ''],
    ['no element', '   '],
    ['text only', 'hello'],
    ['an unclosed element', '<Delete><Object></Delete>'],
    ['another root', '<Other/>'],
    ['two roots', '<Delete/><Delete/>'],
    ['O39: a DOCTYPE', '<!DOCTYPE Delete [<!ENTITY a "b">]><Delete>&a;</Delete>'],
    ['an unknown entity', '<Delete><Object><Key>&nbsp;</Key></Object></Delete>'],
    ['a bare ampersand', '<Delete><Object><Key>a & b</Key></Object></Delete>'],
    ['a surrogate reference', '<Delete><Object><Key>&#xD800;</Key></Object></Delete>'],
    ['O39: 50 levels', `<Delete>${'<a>'.repeat(50)}${'</a>'.repeat(50)}</Delete>`],
    ['O39: more than 2 MiB', `<Delete>${' '.repeat(MAX_XML_BYTES)}</Delete>`],
    ['invalid UTF-8', Buffer.from([0x3c, 0xff, 0x3e])]
  ])('refuses %s', (_, body) => {
    expect(codeOf(body)).toBe('MalformedXML')
  })
  it('refuses a repeated single child', () => {
    const root = parseXml(Buffer.from('<A><K>1</K><K>2</K></A>'), 'A')
    expect(() => childText(root, 'K')).toThrow(expect.objectContaining({ code: 'MalformedXML' }))
  })
  it('never fails otherwise on garbage', () => {
    const piece = fc.constantFrom(
      '<Delete>',
      '</Delete>',
      '<a b="',
      '"',
      '>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '&#',
      ';',
      '<?x'
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }), (pieces) => {
        codeOf(pieces.join(''))
      }),
      { numRuns: 2000 }
    )
  })
})

describe('xmlDocument', () => {
  it('writes elements in order and leaves undefined ones out', () => {
    expect(
      s3Document('R', [
        ['A', 'x'],
        ['B', undefined],
        ['C', []],
        [
          'D',
          [
            ['E', 1],
            ['F', false]
          ]
        ]
      ])
    ).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<R xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><A>x</A><C/><D><E>1</E><F>false</F></D></R>'
    )
  })
  it('O33: any text a key may hold survives a round trip', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((value) => value !== '')
    fc.assert(
      fc.property(
        fc.oneof(text, fc.constantFrom(' ', '_ ', 'a<b', 'a&b', '"q"', '?x', '50%', '#1', '\r\n\t')),
        (key) => {
          const xml = xmlDocument(['R', [['Key', key]]])
          expect(childText(parseXml(Buffer.from(xml), 'R'), 'Key')).toBe(key)
        }
      )
    )
  })
  it('replaces what XML cannot carry', () => {
    expect(xmlDocument(['R', 'a\u0001\ufffe'])).toContain('<R>a\ufffd\ufffd</R>')
  })
})

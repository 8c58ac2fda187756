import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { z } from 'zod'
import { S3Error } from './s3-error.ts'

/** Largest XML body any operation accepts. */
export const MAX_XML_BYTES = 2 * 1024 * 1024
const MAX_DEPTH = 8

/** One element: its child elements in order, or its text, untrimmed. */
export interface XmlElement {
  readonly name: string
  readonly children: readonly XmlElement[]
  readonly text: string
}

// Values stay text (`0012`, `1e5` and `true` are legal keys). References are decoded here instead of by the library, in one
// pass and without its expansion limits, which a request to delete 1000 keys full of `&amp;` would exceed.
const parser = new XMLParser({
  preserveOrder: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  removeNSPrefix: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  cdataPropName: '#cdata',
  maxNestedTags: MAX_DEPTH
})

const TEXT = z.array(z.object({ '#text': z.coerce.string() }))
const NODES = z.array(z.record(z.string(), z.unknown()))

/**
 * Parses a request body into its root element.
 * @throws S3Error MalformedXML for anything but one well-formed UTF-8 document without a DOCTYPE, at most 2 MiB and 8
 *   levels deep, whose root has the given name
 */
export function parseXml(body: Buffer, rootName: string): XmlElement {
  if (body.length > MAX_XML_BYTES) throw new S3Error('MalformedXML', { message: 'The XML document is too large.' })
  const source = decodeUtf8(body)
  if (/<!(DOCTYPE|ENTITY)/i.test(source)) throw new S3Error('MalformedXML', { message: 'A DOCTYPE is not allowed.' })
  if (source.trim() === '' || XMLValidator.validate(source) !== true) throw new S3Error('MalformedXML')
  const roots = readChildren(parseOrThrow(source))
  const root = roots[0]
  if (roots.length !== 1 || root?.name !== rootName)
    throw new S3Error('MalformedXML', { message: `The root element must be ${rootName}.` })
  return root
}

function decodeUtf8(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (cause) {
    throw new S3Error('MalformedXML', { message: 'The XML document is not UTF-8.', cause })
  }
}

function parseOrThrow(source: string): unknown {
  try {
    return parser.parse(source)
  } catch (cause) {
    throw new S3Error('MalformedXML', { cause })
  }
}

/** Turns the library's ordered nodes (`{ name: [...] }`, `{ '#text': … }`, `{ '#cdata': [...] }`) into elements. */
function readChildren(nodes: unknown): XmlElement[] {
  const elements: XmlElement[] = []
  for (const node of NODES.parse(nodes))
    for (const [name, content] of Object.entries(node))
      if (!name.startsWith('#') && name !== ':@')
        elements.push({ name, children: readChildren(content), text: readText(content) })
  return elements
}

function readText(nodes: unknown): string {
  let text = ''
  for (const node of NODES.parse(nodes)) {
    if ('#text' in node) text += decodeReferences(String(node['#text']))
    else if ('#cdata' in node) text += TEXT.parse(node['#cdata']).reduce((all, part) => all + part['#text'], '')
  }
  return text
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function decodeReferences(text: string): string {
  return text.replace(/&([^;&]{0,16});?/g, (reference, body: string) => {
    const named = reference.endsWith(';') && Object.hasOwn(NAMED, body) ? NAMED[body] : undefined
    const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(body) ?? []
    const code = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal)
    if (named !== undefined) return named
    if (!reference.endsWith(';') || !(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff))
      throw new S3Error('MalformedXML', { message: 'The XML document holds an unknown character reference.' })
    return String.fromCodePoint(code)
  })
}

/** The children with a name. */
export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name)
}

/**
 * Text of the only child with a name, or undefined when there is none.
 * @throws S3Error MalformedXML when there are several
 */
export function childText(element: XmlElement, name: string): string | undefined {
  const found = childrenOf(element, name)
  if (found.length > 1) throw new S3Error('MalformedXML', { message: `${name} must not be repeated.` })
  return found[0]?.text
}

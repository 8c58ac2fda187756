/** The text of an element: a leaf value, children in order, or nothing. `undefined` children are left out. */
export type XmlContent = string | number | boolean | readonly XmlNode[]
export type XmlNode = readonly [name: string, content: XmlContent | undefined, attributes?: Record<string, string>]

const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'
export const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

/** A whole S3 answer: declaration and one root element in the S3 namespace. */
export function s3Document(root: string, content: XmlContent): string {
  return xmlDocument([root, content, { xmlns: S3_NAMESPACE }])
}

/** Declaration and the given root element. */
export function xmlDocument(root: XmlNode): string {
  return XML_DECLARATION + writeNode(root)
}

function writeNode([name, content, attributes = {}]: XmlNode): string {
  if (content === undefined) return ''
  const opening = Object.entries(attributes).reduce(
    (text, [key, value]) => `${text} ${key}="${escapeXml(value)}"`,
    name
  )
  const body = Array.isArray(content) ? content.map(writeNode).join('') : escapeXml(String(content))
  return body === '' ? `<${opening}/>` : `<${opening}>${body}</${name}>`
}

const REFERENCES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;'
}

/**
 * Escapes text for element content and attribute values. White space control characters become references, because parsers
 * normalise the raw ones; what XML 1.0 cannot carry at all becomes U+FFFD.
 */
export function escapeXml(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(/[&<>"\r\n\t]/g, (c) => REFERENCES[c] as string)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this replaces
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  )
}

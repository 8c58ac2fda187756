import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const identifier = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const time = (ms: number) => der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(0, 14)}Z`))

/** A certificate for one host that signs itself, good for a day, with its key; both PEM (RFC 5280 §4.1, version 1). */
export function selfSigned(host: string): { cert: string; key: string } {
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  })
  // ecdsa-with-SHA256 and commonName.
  const algorithm = sequence(identifier('2a8648ce3d040302'))
  const name = sequence(der(0x31, sequence(identifier('550403'), der(0x0c, Buffer.from(host)))))
  const validity = sequence(time(Date.now() - 3_600_000), time(Date.now() + 86_400_000))
  const facts = sequence(der(0x02, Buffer.from([1])), algorithm, name, validity, name, pair.publicKey)
  const signature = sign('sha256', facts, createPrivateKey(pair.privateKey))
  const certificate = sequence(facts, algorithm, der(0x03, Buffer.from([0]), signature)).toString('base64')
  return { cert: `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`, key: pair.privateKey }
}

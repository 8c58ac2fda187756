import sharp from 'sharp'
import { textPath } from './pixel-font.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'

/** What to draw: a view straight down on fields, a road and buildings, with a caption. */
export type AerialPicture = {
  widthPx: number
  heightPx: number
  seed: number
  /** One short line in the corner; letters, digits and `-:./` only. */
  caption: string
  /** JPEG quality, 1…100. */
  quality?: number
}

const FIELD_COLOURS = [
  '#6b8e3d',
  '#87a652',
  '#4f7a34',
  '#b5a642',
  '#c9b458',
  '#8a6f42',
  '#a58a5a',
  '#5d8b4b',
  '#7a5c3a'
]

/** Draws the picture and gives it as a plain JPEG, without any metadata. The same input gives the same picture. */
export async function drawAerial(picture: AerialPicture): Promise<Buffer> {
  const { widthPx, heightPx } = picture
  const random = seededRandom(picture.seed, 'aerial')
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}" viewBox="0 0 1600 1200" ` +
    `preserveAspectRatio="xMidYMid slice"><rect width="1600" height="1200" fill="#5d7d3f"/>` +
    `<g transform="rotate(${random.between(-25, 25)} 800 600)">${fields(random)}${road(random)}</g>` +
    `${buildings(random)}${trees(random)}` +
    `<path d="M0 1130h1600v70H0z" fill="#0b1320" fill-opacity=".7"/>` +
    `<path d="${textPath(picture.caption, 30, 1148, 5)}" fill="#f4f7fb"/></svg>`
  return sharp(Buffer.from(svg), { limitInputPixels: false })
    .composite([{ input: await grain(random), tile: true, blend: 'overlay' }])
    .flatten({ background: '#5d7d3f' })
    .jpeg({ quality: picture.quality ?? 82, chromaSubsampling: '4:2:0' })
    .toBuffer()
}

function fields(random: SeededRandom): string {
  let svg = ''
  for (let y = -500; y < 1700; ) {
    const height = random.between(120, 320)
    for (let x = -500; x < 2100; ) {
      const width = random.between(160, 460)
      const colour = FIELD_COLOURS[random.integer(0, FIELD_COLOURS.length - 1)]
      svg += `<rect x="${x}" y="${y}" width="${width - 6}" height="${height - 6}" fill="${colour}"/>`
      // Furrows: thin lines that a shrunken preview must still resolve into an even tone.
      const step = random.between(9, 22)
      let furrows = ''
      for (let line = step; line < height; line += step) furrows += `M${x} ${y + line}h${width - 6}`
      svg += `<path d="${furrows}" stroke="#000" stroke-opacity=".12" stroke-width="3"/>`
      x += width
    }
    y += height
  }
  return svg
}

function road(random: SeededRandom): string {
  const x = random.between(300, 1300)
  const curve = `M${x} -600C${x + random.between(-300, 300)} 200 ${x + random.between(-300, 300)} 900 ${x} 1900`
  return (
    `<path d="${curve}" fill="none" stroke="#8d8d88" stroke-width="46"/>` +
    `<path d="${curve}" fill="none" stroke="#f0f0e8" stroke-width="4" stroke-dasharray="34 26"/>`
  )
}

function buildings(random: SeededRandom): string {
  let svg = ''
  for (let i = random.integer(3, 7); i > 0; i--) {
    const x = random.between(60, 1450)
    const y = random.between(60, 1000)
    const width = random.between(50, 130)
    const height = random.between(40, 100)
    svg +=
      `<g transform="rotate(${random.between(0, 90)} ${x} ${y})">` +
      `<rect x="${x + 10}" y="${y + 10}" width="${width}" height="${height}" fill="#000" fill-opacity=".35"/>` +
      `<rect x="${x}" y="${y}" width="${width}" height="${height / 2}" fill="#b04a35"/>` +
      `<rect x="${x}" y="${y + height / 2}" width="${width}" height="${height / 2}" fill="#8f3a2a"/></g>`
  }
  return svg
}

function trees(random: SeededRandom): string {
  let svg = ''
  for (let i = random.integer(40, 90); i > 0; i--) {
    const x = random.between(0, 1600)
    const y = random.between(0, 1100)
    const radius = random.between(9, 30)
    svg +=
      `<circle cx="${x + 6}" cy="${y + 6}" r="${radius}" fill="#000" fill-opacity=".3"/>` +
      `<circle cx="${x}" cy="${y}" r="${radius}" fill="#2f5a27"/>` +
      `<circle cx="${x - radius / 4}" cy="${y - radius / 4}" r="${radius / 2}" fill="#4a7d38"/>`
  }
  return svg
}

/** Sensor noise, so that the JPEG weighs and decodes like a photo and not like a drawing. */
async function grain(random: SeededRandom): Promise<Buffer> {
  const size = 256
  const pixels = Buffer.alloc(size * size)
  for (let i = 0; i < pixels.length; i++) pixels[i] = 128 + Math.round((random.next() + random.next() - 1) * 34)
  return sharp(pixels, { raw: { width: size, height: size, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 1 })
    .toBuffer()
}

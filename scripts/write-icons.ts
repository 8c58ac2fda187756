// Draws the PNG icons from their SVG sources in resources/icons; run it after changing one of them.
import { join } from 'node:path'
import sharp from 'sharp'

const dir = join(import.meta.dirname, '../resources/icons')
const icons: [svg: string, png: string, sizePx: number][] = [
  ['icon.svg', 'icon.png', 512],
  ['tray.svg', 'tray.png', 16],
  ['tray.svg', 'tray@2x.png', 32],
  ['tray-template.svg', 'trayTemplate.png', 16],
  ['tray-template.svg', 'trayTemplate@2x.png', 32]
]

for (const [svg, png, sizePx] of icons)
  await sharp(join(dir, svg), { density: 300 })
    .resize(sizePx, sizePx)
    .png({ compressionLevel: 9 })
    .toFile(join(dir, png))

/** Width and height in any one unit. */
export interface Size {
  width: number
  height: number
}

/** The largest size of the shape `picture` that fits into `room`. */
export function fitInto(picture: Size, room: Size): Size {
  const scale = Math.min(room.width / picture.width, room.height / picture.height)
  return { width: picture.width * scale, height: picture.height * scale }
}

/**
 * The size of the original as it is shown. A catalogued size may be from before the camera's turn mark was applied; the preview,
 * which is upright, tells.
 */
export function uprightSize(catalogued: Size, preview: Size): Size {
  const turned = catalogued.width > catalogued.height !== preview.width > preview.height
  return turned ? { width: catalogued.height, height: catalogued.width } : catalogued
}

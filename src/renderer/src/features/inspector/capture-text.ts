import type { TFunction } from 'i18next'
import type { CaptureData } from '../../../../shared/api/assets.ts'
import type { Formats } from '../../lib/format.ts'

/** Where a picture was taken; null without a GPS fix, which DJI cameras write as 0, 0. */
export function gpsFix({ latitude, longitude }: CaptureData): { latitude: number; longitude: number } | null {
  if (latitude === null || longitude === null || (latitude === 0 && longitude === 0)) return null
  return { latitude, longitude }
}

/** Maker and model without saying the maker twice; null when the file names neither. */
export function cameraName({ cameraMake, cameraModel }: CaptureData): string | null {
  if (cameraMake === null || cameraModel === null) return cameraModel ?? cameraMake
  return cameraModel.toLowerCase().startsWith(cameraMake.toLowerCase()) ? cameraModel : `${cameraMake} ${cameraModel}`
}

/** `1/640` below half a second, as photographers read it, else decimal. */
export function shutterText(formats: Formats, exposureTimeS: number): string {
  return exposureTimeS > 0 && exposureTimeS < 0.5
    ? `1/${Math.round(1 / exposureTimeS)}`
    : formats.number(exposureTimeS, 1)
}

/** Shutter, aperture and sensitivity, whichever are known; null when none is. */
export function exposureText(t: TFunction, formats: Formats, capture: CaptureData): string | null {
  const parts = [
    capture.exposureTimeS !== null &&
      t('inspector.exposureSeconds', { seconds: shutterText(formats, capture.exposureTimeS) }),
    capture.fNumber !== null && `f/${formats.number(capture.fNumber, 1)}`,
    capture.iso !== null && t('inspector.iso', { iso: capture.iso })
  ].filter((part) => part !== false)
  return parts.length > 0 ? parts.join('\u00a0· ') : null
}

/** Three angles in words; null unless all are known. */
export function anglesText(
  t: TFunction,
  formats: Formats,
  yaw: number | null,
  pitch: number | null,
  roll: number | null
): string | null {
  if (yaw === null || pitch === null || roll === null) return null
  const [yawText, pitchText, rollText] = [yaw, pitch, roll].map((angle) => formats.degrees(angle))
  return t('inspector.angles', { yaw: yawText ?? '', pitch: pitchText ?? '', roll: rollText ?? '' })
}

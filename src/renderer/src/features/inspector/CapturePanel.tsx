import { useTranslation } from 'react-i18next'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { CopyText } from '../../components/CopyText.tsx'
import { useFormats } from '../../lib/format.ts'
import { anglesText, cameraName, exposureText, gpsFix } from './capture-text.ts'
import classes from './Facts.module.css'
import { Fact, Facts, Panel } from './Facts.tsx'
import { TakenTime } from './TakenTime.tsx'

/** When, where and how a picture was taken, as far as its file tells. */
export function CapturePanel({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { capture } = asset
  const fix = gpsFix(capture)
  const metres = (value: number | null) => value !== null && formats.metres(value)
  return (
    <>
      <Panel title={t('inspector.capture')}>
        <Facts>
          <Fact name={t('inspector.taken')}>
            <TakenTime asset={asset} />
          </Fact>
          <Fact name={t('inspector.device')}>{asset.deviceName}</Fact>
          <Fact name={t('inspector.droneSerial')}>{capture.droneSerial}</Fact>
          <Fact name={t('inspector.flight')}>{asset.flightName}</Fact>
          <Fact name={t('inspector.camera')}>{cameraName(capture)}</Fact>
          <Fact name={t('inspector.cameraSerial')}>{capture.cameraSerial}</Fact>
          <Fact name={t('inspector.exposure')}>{exposureText(t, formats, capture)}</Fact>
          <Fact name={t('inspector.focalLength')}>
            {capture.focalLengthMm !== null && `${formats.number(capture.focalLengthMm, 1)} mm`}
          </Fact>
        </Facts>
      </Panel>
      <Panel title={t('inspector.positionTitle')}>
        {fix === null ? (
          <p className={classes['none']}>
            {capture.latitude === null ? t('inspector.noPosition') : t('inspector.noFix')}
          </p>
        ) : (
          <CopyText text={`${fix.latitude.toFixed(6)}, ${fix.longitude.toFixed(6)}`} />
        )}
        <Facts>
          <Fact name={t('inspector.altitudeRelative')}>{metres(capture.relativeAltitudeM)}</Fact>
          <Fact name={t('inspector.altitudeAbsolute')}>{metres(capture.absoluteAltitudeM)}</Fact>
          <Fact name={t('inspector.gimbal')}>
            {anglesText(t, formats, capture.gimbalYawDeg, capture.gimbalPitchDeg, capture.gimbalRollDeg)}
          </Fact>
          <Fact name={t('inspector.aircraft')}>
            {anglesText(t, formats, capture.flightYawDeg, capture.flightPitchDeg, capture.flightRollDeg)}
          </Fact>
        </Facts>
      </Panel>
    </>
  )
}

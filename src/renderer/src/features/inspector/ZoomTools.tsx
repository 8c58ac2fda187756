import { Button, Tooltip } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { IconMinus, IconPlus } from '@tabler/icons-react'
import type { RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { useControls, useTransformComponent } from 'react-zoom-pan-pinch'
import { useFormats } from '../../lib/format.ts'
import classes from './Stage.module.css'
import { usePointerZoom, type ZoomLimits } from './use-pointer-zoom.ts'

const stepFactor = 0.4
const animationMs = 150

/** Zooming a picture by buttons, keys, and the pointer over `stage`. */
export function ZoomTools({ stage, limits }: { stage: RefObject<HTMLElement | null>; limits: ZoomLimits }) {
  const { actualScale } = limits
  const { t } = useTranslation()
  const formats = useFormats()
  const { zoomIn, zoomOut, centerView, resetTransform } = useControls()
  const scale = useTransformComponent(({ state }) => state.scale)
  usePointerZoom(stage, limits)
  const isFit = Math.abs(scale - 1) < 0.01
  const isActual = Math.abs(scale / actualScale - 1) < 0.01

  const larger = () => void zoomIn(stepFactor, animationMs)
  const smaller = () => void zoomOut(stepFactor, animationMs)
  const fit = () => void resetTransform(animationMs)
  const actual = () => void centerView(actualScale, animationMs)
  useHotkeys([
    ['plus', larger],
    ['shift+plus', larger],
    ['=', larger],
    ['-', smaller],
    ['0', fit],
    ['1', actual]
  ])

  return (
    <div className={classes['tools']} role="toolbar" aria-label={t('inspector.zoomLevel')}>
      <Tooltip label={t('inspector.zoomOut')}>
        <Button variant="transparent" className={classes['tool']} aria-label={t('inspector.zoomOut')} onClick={smaller}>
          <IconMinus size={22} />
        </Button>
      </Tooltip>
      <output className={classes['level']} data-testid="zoom-level">
        {formats.percent(scale / actualScale)}
      </output>
      <Tooltip label={t('inspector.zoomIn')}>
        <Button variant="transparent" className={classes['tool']} aria-label={t('inspector.zoomIn')} onClick={larger}>
          <IconPlus size={22} />
        </Button>
      </Tooltip>
      <Button variant="transparent" className={classes['tool']} aria-pressed={isFit} onClick={fit}>
        {t('inspector.fit')}
      </Button>
      <Button variant="transparent" className={classes['tool']} aria-pressed={isActual && !isFit} onClick={actual}>
        {t('inspector.actualSize')}
      </Button>
    </div>
  )
}

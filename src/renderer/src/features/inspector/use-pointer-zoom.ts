import { type RefObject, useEffect } from 'react'
import { useControls } from 'react-zoom-pan-pinch'

/** Natural zoom per pixel of wheel: one notch of 100 px changes the size by about a fifth. */
const zoomPerWheelPx = 0.002
const animationMs = 150

export interface ZoomLimits {
  minScale: number
  maxScale: number
  /** At which one picture point covers one screen point. */
  actualScale: number
}

/**
 * Zooms a picture under the pointer: the wheel (and a touchpad's pinch, which arrives as one) by factors, so that each notch feels
 * the same at any size; a double click to single pixels and back. For use inside a TransformWrapper whose own wheel and double click
 * are off.
 */
export function usePointerZoom(
  stage: RefObject<HTMLElement | null>,
  { minScale, maxScale, actualScale }: ZoomLimits
): void {
  const { zoomToPoint, resetTransform, instance } = useControls()
  useEffect(() => {
    const element = stage.current
    if (element === null) return
    const onWheel = (event: WheelEvent) => {
      event.preventDefault()
      const linePx = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1
      // A pinch comes in small steps.
      const pinchFactor = event.ctrlKey ? 5 : 1
      const factor = Math.exp(-event.deltaY * linePx * pinchFactor * zoomPerWheelPx)
      const scale = Math.min(maxScale, Math.max(minScale, instance.state.scale * factor))
      void zoomToPoint(scale, event.clientX, event.clientY, 0)
    }
    const onDoubleClick = (event: MouseEvent) => {
      if (instance.state.scale > 1.01) void resetTransform(animationMs)
      else void zoomToPoint(Math.max(actualScale, 2), event.clientX, event.clientY, animationMs)
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    element.addEventListener('dblclick', onDoubleClick)
    return () => {
      element.removeEventListener('wheel', onWheel)
      element.removeEventListener('dblclick', onDoubleClick)
    }
  }, [stage, minScale, maxScale, actualScale, zoomToPoint, resetTransform, instance])
}

import { onTestFinished } from 'vitest'
import { PilotController } from '../../demo/pilot-controller.ts'
import { TEST_PILOT_TOKEN, type TestDaemon } from './test-daemon.ts'

/** A controller that knows the token of the base; closed when the test is over. */
export function testController(
  base: TestDaemon,
  workspaceId = 'e3dea0f5-37f2-4d79-ae58-490af3228069'
): PilotController {
  const controller = new PilotController({
    fieldUrl: base.ready.field.url,
    token: TEST_PILOT_TOKEN,
    workspaceId,
    deviceId: 'RC-1',
    droneSerial: 'DRONE1',
    droneModelKey: '0-99-0',
    payloadModelKey: '1-88-0',
    photoType: 'original'
  })
  onTestFinished(() => controller.close())
  return controller
}

import {
  changeStoreSettings,
  getStoreSettings,
  revertStoreSettings,
  testStoreSettings
} from '../../../shared/api/settings.ts'
import type { Feature } from '../../feature.ts'
import { type StoreSettingsDeps, StoreSettingsService } from './store-settings.service.ts'

/** What administrators set on the screen. */
export function createSettings(deps: StoreSettingsDeps): Feature {
  const store = new StoreSettingsService(deps)
  return {
    bind(binder) {
      binder.bind(getStoreSettings, () => store.read())
      binder.bind(changeStoreSettings, ({ body }) => store.change(body))
      binder.bind(revertStoreSettings, () => store.revert())
      binder.bind(testStoreSettings, async ({ body }) => ({ steps: await store.test(body) }))
    }
  }
}

import { createStore } from './store.ts'

/** An asset that was not removed because several hold it; the question about it is open while this is set. */
export const assetInUse = createStore<{ id: string; name: string } | null>(null)

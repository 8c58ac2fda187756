/** Stops early, with the remedy, on a Node whose N-API is too old for better-sqlite3 13 (it would crash instead). */
export default function setup(): void {
  if (Number(process.versions.napi) < 10)
    throw new Error(`Node ${process.version} is too old. Run through "npm test", which uses the Node it installs.`)
}

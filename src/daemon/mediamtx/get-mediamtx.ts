/** The version that everything is tested with. */
export const TESTED_VERSION = 'v1.20.1'

const RELEASES = 'https://github.com/bluenviron/mediamtx/releases'
/** What its files are called, by platform and processor as Node names them. */
const FILES: Record<string, string> = {
  'linux-x64': 'linux_amd64.tar.gz',
  'linux-arm64': 'linux_arm64.tar.gz',
  'linux-arm': 'linux_armv7.tar.gz',
  'darwin-x64': 'darwin_amd64.tar.gz',
  'darwin-arm64': 'darwin_arm64.tar.gz',
  'win32-x64': 'windows_amd64.zip'
}

/** Where the tested version is to be had for a machine; the page of the release where there is no file for it. */
export function downloadUrl(platform: string = process.platform, arch: string = process.arch): string {
  const file = FILES[`${platform}-${arch}`]
  return file === undefined
    ? `${RELEASES}/tag/${TESTED_VERSION}`
    : `${RELEASES}/download/${TESTED_VERSION}/mediamtx_${TESTED_VERSION}_${file}`
}

import { join } from 'node:path'
import { installOnDebian, isProgram, onPath } from './system-program.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge']

/** Where Chromium, or a browser that is one underneath, usually is when it is not on PATH. */
const usualPlaces: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['/usr/bin', '/usr/local/bin', '/snap/bin', '/opt/google/chrome'].flatMap((folder) =>
    names.map((name) => join(folder, name)),
  ),
  darwin: ['', process.env['HOME'] ?? ''].flatMap((home) => [
    `${home}/Applications/Chromium.app/Contents/MacOS/Chromium`,
    `${home}/Applications/Google Chrome.app/Contents/MacOS/Google Chrome`,
    `${home}/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge`,
  ]),
  win32: ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA']
    .flatMap((name) => process.env[name] ?? [])
    .flatMap((folder) => [
      join(folder, 'Chromium/Application/chrome.exe'),
      join(folder, 'Google/Chrome/Application/chrome.exe'),
      join(folder, 'Microsoft/Edge/Application/msedge.exe'),
    ]),
}

const advice = `[test] The browser tests need Chromium, and none was found. One of these helps:
  - Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y --no-install-recommends chromium
  - macOS:           brew install --cask chromium        (or install Google Chrome)
  - Windows:         winget install Google.Chrome
  - anywhere:        set CHROMIUM_PATH to the program's path
  - without it:      npm test -- --project core          (the packages' tests need no browser)`

/** The browser's path: CHROMIUM_PATH if it is set, else the first that is found on PATH and in the usual places. */
export function findChromium(): string | null {
  const given = process.env['CHROMIUM_PATH']
  if (given !== undefined && given !== '') {
    if (isProgram(given)) return given
    throw new Error(`[test] CHROMIUM_PATH is ${given}, but there is no program there. Correct it or unset it.`)
  }
  return [...onPath(names), ...(usualPlaces[process.platform] ?? [])].find(isProgram) ?? null
}

/**
 * As {@link findChromium}, and installs it where that can be done without asking: as root on Debian and its relatives.
 * Elsewhere it throws an error that says what to do.
 */
export async function ensureChromium(): Promise<string> {
  const found = findChromium()
  if (found !== null) return found
  await installOnDebian('chromium', 'for the browser tests', advice)
  const installed = findChromium()
  if (installed === null) throw new Error(advice)
  console.log(`[test] installed ${installed}`)
  return installed
}

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** Starts Chromium without a window and with a new, empty profile. */
export async function launchChromium(): Promise<Browser> {
  return await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? findOnPath(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

function findOnPath(): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // not here
      }
    }
  }
  throw new Error('This test needs Chromium. Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH.')
}

/** The board in a tab of its own, and what was seen of it. */
export interface BoardPage {
  readonly page: Page
  readonly acme: Locator
  readonly globex: Locator
  /** Errors on the console, and exceptions that nobody caught. */
  readonly errors: readonly string[]
  /** Every URL that the page asked for, over HTTP or WebSocket. */
  readonly requested: readonly string[]
  [Symbol.asyncDispose](): Promise<void>
}

/** Opens the board and waits until both panes are live and know their subscribers. */
export async function openBoard(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<BoardPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  context.setDefaultTimeout(15_000) // less than a test's, so that it says what was waited for
  const page = await context.newPage()
  const errors: string[] = []
  const requested: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('request', (request) => requested.push(request.url()))
  page.on('websocket', (socket) => requested.push(socket.url()))
  await page.goto(url)
  const pane = (tenant: string) => page.locator(`.pane[data-tenant=${tenant}]`)
  const board: BoardPage = {
    page,
    acme: pane('acme'),
    globex: pane('globex'),
    errors,
    requested,
    [Symbol.asyncDispose]: () => context.close(),
  }
  for (const tenant of ['acme', 'globex']) await pane(tenant).and(page.locator('[data-state=live]')).waitFor()
  return board
}

/** Waits until an element has this text, and only then goes on. */
export async function waitForText(locator: Locator, text: string): Promise<void> {
  await locator
    .filter({ hasText: new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`) })
    .waitFor()
}

export async function waitForSubscribers(pane: Locator, count: number): Promise<void> {
  await waitForText(pane.locator('[data-subscribers]'), String(count))
}

/** The three numbers of the line. */
export interface Counts {
  readonly events: number
  readonly executions: number
  readonly deliveries: number
}

export async function readCounts(page: Page): Promise<Counts> {
  const read = async (name: string) => Number(await page.locator(`[data-count=${name}]`).textContent())
  return { events: await read('events'), executions: await read('executions'), deliveries: await read('deliveries') }
}

/** Waits until the line shows that much more than before; a number that went beyond it never matches. */
export async function waitForCounts(page: Page, before: Counts, more: Counts): Promise<void> {
  for (const name of ['events', 'executions', 'deliveries'] as const) {
    await waitForText(page.locator(`[data-count=${name}]`), String(before[name] + more[name]))
  }
}

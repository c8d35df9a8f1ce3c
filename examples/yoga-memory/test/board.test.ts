import type { Browser, Locator } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium, openBoard, readCounts, waitForCounts, waitForSubscribers, waitForText } from './browser.ts'
import { type DemoProcess, startDemo } from './demo-process.ts'

let browser: Browser
let demo: DemoProcess
let url: string

beforeAll(async () => {
  demo = startDemo('--port', '0')
  browser = await launchChromium()
  url = await demo.url
})

afterAll(async () => {
  await browser?.close()
  await demo?.[Symbol.asyncDispose]()
})

/** A board on which nobody else is left from the test before. */
async function openAlone() {
  const board = await openBoard(browser, url)
  await waitForSubscribers(board.acme, 1)
  await waitForSubscribers(board.globex, 1)
  return board
}

const statuses = ['created', 'paid', 'packed', 'shipped', 'delivered']

/** Presses the button of an order and waits until its card shows the next status, which only an event can cause. */
async function advance(pane: Locator, id: string): Promise<void> {
  const card = pane.locator(`[data-order="${id}"]`)
  const status = (await card.locator('.status').textContent()) ?? ''
  await card.locator('button').click()
  await waitForText(card.locator('.status'), statuses[statuses.indexOf(status) + 1] ?? '')
}

const ordersOf = (pane: Locator) => pane.locator('.order').allInnerTexts()

describe('the board in Chromium', () => {
  it('connects one pane over WebSocket and one over SSE, asks nobody else, and logs no error', async () => {
    await using board = await openAlone()
    const { host, href } = new URL(url)
    expect(await board.acme.locator('.transport').textContent()).toBe('WebSocket')
    expect(await board.globex.locator('.transport').textContent()).toBe('SSE')
    expect(board.requested).toContain(`ws://${host}/graphql`)
    expect(board.requested).toContain(`${href}graphql`)
    expect(board.requested.filter((asked) => !asked.startsWith('data:') && new URL(asked).host !== host)).toEqual([])
    expect(board.errors).toEqual([])
  })

  it.each([
    ['acme', 'globex', '1003'],
    ['globex', 'acme', '2003'],
  ] as const)('shows a change of %s there and nowhere else', async (own, other, id) => {
    await using board = await openAlone()
    const before = await readCounts(board.page)
    const others = await ordersOf(board[other])

    await advance(board[own], id)
    expect(await board[own].locator('.latest').textContent()).toBe(`#${id} is now delivered.`)
    // One delivery, and this page's pane has it: there was none for anybody else.
    await waitForCounts(board.page, before, { events: 1, executions: 1, deliveries: 1 })
    expect(await ordersOf(board[other])).toEqual(others)
    expect(await board[other].locator('.latest').textContent()).toBe('No change yet.')
    expect(board.errors).toEqual([])
  })

  it.each([
    ['acme', '1002'],
    ['globex', '2002'],
  ] as const)('executes once for eleven subscribers of %s', async (tenant, id) => {
    await using board = await openAlone()
    const pane = board[tenant]
    await pane.getByRole('button', { name: 'Add 10' }).click()
    await waitForSubscribers(pane, 11)
    const before = await readCounts(board.page)

    await advance(pane, id)
    await waitForCounts(board.page, before, { events: 1, executions: 1, deliveries: 11 })
    await waitForText(board.page.locator('[data-last]'), 'Last change: 1 event, 1 execution, 11 deliveries.')
    await waitForText(pane.locator('[data-received]'), '10 added · 10 received')
    expect(await pane.locator('.dots i').count()).toBe(11)

    await pane.getByRole('button', { name: 'Remove' }).click()
    await waitForSubscribers(pane, 1)
    expect(board.errors).toEqual([])
  })

  it('shows a new order in every tab, executed once', async () => {
    await using first = await openAlone()
    await using second = await openBoard(browser, url)
    await waitForSubscribers(first.globex, 2)
    const before = await readCounts(first.page)
    const newest = Number(await first.globex.locator('.order').first().getAttribute('data-order'))

    await second.globex.getByRole('button', { name: 'New order' }).click()
    for (const { globex } of [first, second]) {
      await waitForText(globex.locator('.order').first().locator('.number'), `#${newest + 1}`)
    }
    await waitForCounts(first.page, before, { events: 1, executions: 1, deliveries: 2 })
    expect(await ordersOf(first.globex)).toEqual(await ordersOf(second.globex))
  })

  it('cannot reach an order of the other shop', async () => {
    await using board = await openAlone()
    const orders = [await ordersOf(board.acme), await ordersOf(board.globex)]
    const before = await readCounts(board.page)
    for (const [pane, name] of [
      [board.acme, 'Acme Coffee'],
      [board.globex, 'Globex Cycles'],
    ] as const) {
      await pane.locator('summary').click()
      await pane.locator('[data-cross]').click()
      await pane
        .locator('.cross output')
        .filter({ hasText: `NOT_FOUND · ${name} has no order` })
        .waitFor()
    }
    expect([await ordersOf(board.acme), await ordersOf(board.globex)]).toEqual(orders)
    expect(await readCounts(board.page)).toEqual(before)
  })

  it('keeps the focus on the button that was pressed, and says what changed', async () => {
    await using board = await openAlone()
    await board.acme.getByRole('button', { name: 'New order' }).click()
    const card = board.acme.locator('.order').filter({ hasText: 'created' }).first()
    const id = (await card.getAttribute('data-order')) ?? ''
    for (const status of statuses.slice(1)) {
      await board.acme.locator(`[data-order="${id}"] button`).press('Enter')
      await waitForText(board.acme.locator('[aria-live]'), `#${id} is now ${status}.`)
    }
    expect(await board.page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
      `Order ${id} is delivered`,
    )
  })

  it('fits on a phone, one pane under the other', async () => {
    await using board = await openBoard(browser, url, {
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
    })
    for (const summary of await board.page.locator('summary').all()) await summary.tap()
    expect(await board.page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
    const [acme, globex] = [await board.acme.boundingBox(), await board.globex.boundingBox()]
    expect(globex?.y).toBeGreaterThan((acme?.y ?? 0) + (acme?.height ?? 0))
  })

  it.each(['light', 'dark'] as const)(
    'has a %s look, and does not move where that is not wanted',
    async (colorScheme) => {
      await using board = await openBoard(browser, url, { colorScheme, reducedMotion: 'reduce' })
      await board.acme.getByRole('button', { name: 'New order' }).click()
      await board.acme.locator('.order.changed').waitFor()
      const look = await board.page.evaluate(() => ({
        animations: document.getAnimations().length,
        ink: getComputedStyle(document.body).color,
        paper: getComputedStyle(document.body).backgroundColor,
      }))
      expect(look.animations).toBe(0)
      const isDark = colorScheme === 'dark'
      expect(brightness(look.paper) < brightness(look.ink)).toBe(isDark)
    },
  )
})

function brightness(color: string): number {
  return (color.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)
}

import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BoardPage, launchChromium, openBoard, waitForText } from './browser.ts'
import { startDemo } from './demo-process.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
})

async function waitForState({ acme, globex, page }: BoardPage, state: string): Promise<void> {
  for (const pane of [acme, globex]) await pane.and(page.locator(`[data-state=${state}]`)).waitFor()
}

/** A line between the browser and the demo that can be cut and mended. */
async function startLine(target: string) {
  const port = Number(new URL(target).port)
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return void client.destroy()
    const upstream = connect(port, 'localhost')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => {
    server.listen(0, 'localhost', resolve)
  })
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    cut() {
      isCut = true
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    },
    mend() {
      isCut = false
    },
    async [Symbol.asyncDispose]() {
      this.cut()
      server.close()
    },
  }
}

describe('the connection of a pane', () => {
  it('is made again when it was cut, and what changed meanwhile is there', async () => {
    await using demo = startDemo('--port', '0')
    await using line = await startLine(await demo.url)
    await using near = await openBoard(browser, await demo.url)
    await using far = await openBoard(browser, line.url)

    line.cut()
    await waitForState(far, 'reconnecting')
    for (const [pane, id] of [
      [near.acme, '1002'],
      [near.globex, '2002'],
    ] as const) {
      await pane.locator(`[data-order="${id}"] button`).click()
      await waitForText(pane.locator(`[data-order="${id}"] .status`), 'packed')
    }
    line.mend()
    await waitForState(far, 'live')
    for (const [pane, id] of [
      [far.acme, '1002'],
      [far.globex, '2002'],
    ] as const) {
      expect(await pane.locator(`[data-order="${id}"] .status`).textContent()).toBe('packed')
    }
  })

  it('is told by the server that it stops, and does not come back', async () => {
    await using demo = startDemo('--port', '0')
    await using board = await openBoard(browser, await demo.url)
    demo.kill('SIGTERM')
    await waitForState(board, 'ended')
    expect(await demo.end).toMatchObject({ code: 0 })
    for (const pane of [board.acme, board.globex]) {
      await waitForText(pane.locator('.notice p'), 'The server ended this subscription.')
    }
  })

  it('ends when the server was started again and does not know the token', async () => {
    await using demo = startDemo('--port', '0')
    const url = await demo.url
    await using board = await openBoard(browser, url)
    demo.kill('SIGKILL')
    await waitForState(board, 'reconnecting')
    await demo.end

    await using next = startDemo('--port', new URL(url).port)
    await next.url
    await waitForState(board, 'ended')
    for (const pane of [board.acme, board.globex]) {
      expect(await pane.locator('.notice p').textContent()).toContain('it was started again')
    }
    await board.globex.getByRole('button', { name: 'Reload the page' }).click()
    await waitForState(board, 'live')
    expect(await board.globex.locator('.notice').isVisible()).toBe(false)
  })
})

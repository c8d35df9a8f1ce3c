import { Buffer } from 'node:buffer'
import { nextMessagePrefix, type ResultHooks, withResultHooks } from '@sluice/core'
import { countWrites, promisesMadeBy, systemCallsFor, type Writes } from '@sluice/testkit'
import type { ExecutionArgs, ExecutionResult } from 'graphql'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import * as ws from 'ws'
import { WebSocket } from 'ws'
import { SocketWriter } from '../socket-writer.ts'
import { openSocket } from './open-socket.ts'
import { type RawClient, rawClient } from './raw-client.ts'
import { openService, type Service, type ServiceOptions } from './service.ts'
import { until } from './until.ts'

// What a delivery costs, counted and never timed: buffers, system calls, messages of ws, promises.

const prefix = nextMessagePrefix('1')
/** What is around the text in the bytes that all subscribers share. */
const around = '{"data":{"news":{"text":""}}}}'.length
/** A text with which prefix and shared bytes are so many bytes. */
const textFor = (bytes: number) => 'x'.repeat(bytes - prefix.length - around)
const headerBytes = 4

interface Opened {
  readonly service: Service
  readonly clients: readonly RawClient[]
  /** What is written to each socket from now on. */
  readonly writes: readonly Writes[]
}

async function open(count: number, options: ServiceOptions = {}): Promise<Opened> {
  const service = await openService(options)
  onTestFinished(() => service[Symbol.asyncDispose]())
  const clients: RawClient[] = []
  for (let n = 0; n < count; n += 1) clients.push(await rawClient(service.url))
  for (const client of clients) client.subscribe('1', 'subscription { news(topic: "a") { text } }')
  await until(() => service.activeCount() === count)
  for (const written of service.writes) Object.assign(written, { count: 0, buffers: [] })
  return { service, clients, writes: service.writes }
}

async function hasTexts(clients: readonly RawClient[], texts: readonly string[]): Promise<void> {
  for (const client of clients) {
    await client.has(texts.length)
    const payloads = client.messages.map(({ payload }) => payload)
    expect(payloads).toEqual(texts.map((text) => ({ data: { news: { text } } })))
  }
}

const lengths = ({ buffers }: Writes) => buffers.map((buffer) => (buffer as Buffer).length)

/** What Envelop's and Yoga's plugins are made into: hooks that look at results and leave them as they are. */
function hooking(count: { seen: number }): ServiceOptions {
  const hooks: ResultHooks = {
    onResult(result) {
      count.seen += 1
      return result
    },
    onEnd: () => undefined,
    onError: (error) => error,
  }
  return {
    hooks: (executor) => ({
      subscribe: async (args: ExecutionArgs) =>
        withResultHooks((await executor.subscribe(args)) as AsyncIterable<ExecutionResult>, hooks),
    }),
  }
}

describe('the buffers of one event for 20 sockets', () => {
  it('are one copy for each up to 2 KB', async () => {
    const { service, clients, writes } = await open(20)
    const text = textFor(2048)
    await service.publish('a', { text })
    await hasTexts(clients, [text])
    for (const each of writes) expect(lengths(each)).toEqual([headerBytes + 2048])
    expect(new Set(writes.flatMap(({ buffers }) => buffers)).size).toBe(20)
  })

  it('are above 2 KB a head for each, and one buffer for all', async () => {
    const { service, clients, writes } = await open(20)
    const texts = [textFor(2049), textFor(100_000)]
    for (const text of texts) await service.publish('a', { text })
    await hasTexts(clients, texts)
    for (const each of writes) {
      expect(lengths(each)).toEqual([
        headerBytes + prefix.length,
        2049 - prefix.length,
        10 + prefix.length,
        100_000 - prefix.length,
      ])
    }
    for (const [index, bufferCount] of [20, 1, 20, 1].entries()) {
      expect(new Set(writes.map(({ buffers }) => buffers[index])).size).toBe(bufferCount)
    }
    expect(service.executor.metrics().serializations).toBe(2)
  })

  it('are one buffer for all also where ws makes the frames', async () => {
    const sent: number[] = []
    class OtherWebSocket extends WebSocket {
      override send(...args: [never]) {
        sent.push((args[0] as Buffer).length)
        super.send(...args)
      }
    }
    const shared = Buffer.alloc(2048, 'x')
    const last: unknown[] = []
    for (const bytes of [shared, shared, shared.subarray(prefix.length)]) {
      await using socket = await openSocket({ WebSocket: OtherWebSocket })
      const { buffers } = countWrites(socket.request.socket)
      new SocketWriter(socket.socket, socket.request.socket, 1_048_576).write(prefix, bytes)
      expect(await socket.messages(1)).toEqual([String(prefix) + String(bytes)])
      last.push(buffers.at(-1))
    }
    expect(sent).toEqual([prefix.length, 2048, prefix.length, 2048, 2048])
    expect(last.map((buffer) => buffer === shared)).toEqual([true, true, false])
  })

  it('are those that pass by hooks', async () => {
    const count = { seen: 0 }
    const { service, clients, writes } = await open(20, hooking(count))
    const text = textFor(2049)
    await service.publish('a', { text })
    await hasTexts(clients, [text])
    expect([count.seen, service.executor.metrics().serializations]).toEqual([20, 1])
    expect(new Set(writes.map(({ buffers }) => buffers.at(-1))).size).toBe(1)
  })
})

describe('what is pushed', () => {
  const ways: Readonly<Record<string, () => ServiceOptions>> = {
    'as it is': () => ({}),
    'past hooks': () => hooking({ seen: 0 }),
    'by attachWebSocket': () => ({ attach: {} }),
  }

  for (const [how, optionsOf] of Object.entries(ways)) {
    it(`${how} takes no message of ws, and one system call per socket and tick, for 1 event as for 8`, async () => {
      const { service, clients, writes } = await open(5, optionsOf())
      // Not the method of the socket: whoever replaces that one is to see every message.
      const { Sender } = ws as unknown as { readonly Sender: { readonly prototype: { send(): void } } }
      const send = vi.spyOn(Sender.prototype, 'send')
      onTestFinished(() => send.mockRestore())
      const published: string[] = []
      const publish = async (...texts: string[]) => {
        published.push(...texts)
        await Promise.all(texts.map((text) => service.publish('a', { text })))
        await hasTexts(clients, published)
      }
      expect(await systemCallsFor((round) => publish(`alone ${round}`), writes)).toBe(1)
      const texts = Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? textFor(5000) : String(n)))
      expect(await systemCallsFor(() => publish(...texts), writes)).toBe(1)
      expect(send).not.toHaveBeenCalled()
    })

    it(`${how} gives messages to a "send" that was put in place of that of ws`, async () => {
      const { service, clients } = await open(2, optionsOf())
      const send = vi.spyOn(WebSocket.prototype, 'send')
      onTestFinished(() => send.mockRestore())
      await service.publish('a', { text: 'seen' })
      await hasTexts(clients, ['seen'])
      expect(send).toHaveBeenCalledTimes(2)
    })

    it(`${how} makes no promise per socket`, async () => {
      const madeFor = async (count: number) => {
        const { service, clients } = await open(count, optionsOf())
        const made = await promisesMadeBy(() => service.publish('a', { text: 'x' }))
        await hasTexts(clients, ['x', 'x', 'x', 'x', 'x'])
        return made
      }
      expect(await madeFor(40)).toBe(await madeFor(2))
    })
  }
})

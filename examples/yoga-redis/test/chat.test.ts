import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { demonstrate } from '../src/demonstrate.ts'
import { startInstance, startRedis } from '../src/processes.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** The example in a process of its own. */
function startExample(...args: string[]) {
  const child = spawn(process.execPath, ['--conditions=@sluice/source', '--import', 'tsx', main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const end = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, output }))
  })
  const invitation = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes('Ctrl+C')) resolve(output)
      })
    }
    void end.then(({ code }) => reject(new Error(`it ended with ${code}:\n${output}`)))
  })
  invitation.catch(() => undefined)
  return {
    end,
    invitation,
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await end
    },
  }
}

describe('npm run demo:redis', () => {
  it('with --once shows that nothing is lost while Redis is restarted, and exits with 0', async () => {
    await using example = startExample('--once', '--port', '0')
    const { code, output } = await example.end
    const acme = 'ada@north: hello from here · abe@south: hello from there · abe@north: said while Redis is down'
    expect({ code, lines: output.split('\n').map((line) => line.trim()) }).toEqual({
      code: 0,
      lines: [
        expect.stringMatching(
          /^Sluice example · two instances of GraphQL Yoga on one Redis, at redis:\/\/127\.0\.0\.1:\d+$/,
        ),
        '',
        'Redis is killed …',
        '… and is back: what was said meanwhile was accepted now, and no subscription ended',
        `acme    ada at north over WebSocket ← ${acme} · ada@south: and after it`,
        `acme    abe at south over SSE       ← ${acme} · ada@south: and after it`,
        'globex  gil at south over WebSocket ← gil@south: nobody else hears this · gil@north: still only us',
        'globex  gil at north over SSE       ← gil@south: nobody else hears this · gil@north: still only us',
        'each heard everything that their company said at either instance, once, in order, and nothing else',
        '',
      ],
    })
  })

  it('stays up until it is stopped, and takes everything that it started with it', async () => {
    await using example = startExample('--port', '0')
    const urls = [...(await example.invitation).matchAll(/http:\/\/localhost:\d+\/graphql/g)].map(([url]) => url)
    expect(new Set(urls).size).toBe(2)
    for (const url of urls) expect(await (await fetch(`${url}?query={instance}`)).json()).toHaveProperty('data')
    example.kill('SIGTERM')
    expect(await example.end).toMatchObject({ code: 0 })
    for (const url of urls) await expect(fetch(url)).rejects.toThrow('fetch failed')
  })

  it.each([
    [['--help'], 0, /--port <number>[^]*--once/],
    [['--prot', '1'], 2, /--prot/],
    [['--port', 'x'], 2, /--port takes a number/],
  ])('answers %j with %i', async (args, code, message) => {
    await using example = startExample(...args)
    expect(await example.end).toEqual({ code, output: expect.stringMatching(message) })
  })

  it('is demonstrated honestly: a message that got lost is said', async () => {
    const redis = await startRedis()
    const other = await startRedis()
    // Two instances that do not share a Redis: neither hears the other.
    const instances = [await startInstance('north', redis.url, 0), await startInstance('south', other.url, 0)] as const
    try {
      const printed: string[] = []
      await expect(demonstrate(redis, instances, (line) => printed.push(line), 1_500)).rejects.toThrow(
        /waited .* in vain until everybody listens/,
      )
      expect(printed).toEqual([])
    } finally {
      for (const { stop } of [...instances, redis, other]) await stop()
    }
  })
})

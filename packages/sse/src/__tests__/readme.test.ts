import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { closeServer, listen, until } from '@sluice/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { openStream, type RawStream } from './raw-stream.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** Runs the README's block in a process of its own; resolves with its address and what stops it. */
async function start(): Promise<{ url: string; stop: () => Promise<unknown> }> {
  const probe = createServer()
  const address = await listen(probe)
  await closeServer(probe)
  const child = spawn(
    process.execPath,
    ['--conditions=@sluice/source', '--import', 'tsx', '--input-type=module', '-'],
    {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: { ...process.env, PORT: address.split(':')[1] },
      stdio: ['pipe', 'inherit', 'inherit'],
    },
  )
  const exit = once(child, 'exit')
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdin.end(/^```js\n([^]*?)^```$/m.exec(readme)?.[1])
  const url = `http://${address}`
  await until(
    () =>
      fetch(url).then(
        ({ status }) => status === 404,
        () => false,
      ),
    'the server listens',
  )
  return {
    url,
    async stop() {
      child.kill('SIGTERM')
      return (await exit)[0]
    },
  }
}

it('the block of the README works when it is pasted: each tenant gets its own, and the end', async () => {
  const { url, stop } = await start()
  const curls = [...readme.matchAll(/^curl .*localhost:4000(\S+) .*-d '(.*)'$/gm)]
  const [subscribe, ship] = curls.map(
    ([, path = '', body = '']) =>
      (authorization: string): RawStream =>
        openStream({ url: url + path, headers: { authorization, accept: undefined }, body }),
  )
  if (subscribe === undefined || ship === undefined) throw new Error('a command is missing')
  const [ada, gil] = ['Bearer ada', 'Bearer gil'].map(subscribe) as [RawStream, RawStream]
  await until(() => [ada, gil].every(({ text }) => text === ':\n\n'), 'both have begun')
  await ship('Bearer ada').ended
  await ada.has(1)
  expect(ada.results[0]).toEqual({ data: { shipped: '7' } })
  expect(gil.events).toEqual([])
  const nobody = subscribe('Bearer eve')
  await nobody.ended
  expect(nobody.results).toMatchObject([{ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }])

  expect(await stop()).toBe(0)
  for (const stream of [ada, gil]) {
    await stream.ended
    expect(stream.events.at(-1)).toBe('event: complete\ndata:')
  }
})

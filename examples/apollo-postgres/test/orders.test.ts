import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = new URL('../../../', import.meta.url)

/** The example as `npm run demo:postgres` starts it. */
function startExample(args: readonly string[]) {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    scripts: { 'demo:postgres': string }
  }
  const [, ...flags] = scripts['demo:postgres'].split(' ')
  const { DATABASE_URL: _, ...env } = process.env
  return spawn(process.execPath, [...flags, ...args], {
    cwd: fileURLToPath(root),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function run(args: readonly string[]) {
  const example = startExample(args)
  const [output, errors, [code]] = await Promise.all([
    text(example.stdout),
    text(example.stderr),
    once(example, 'close'),
  ])
  return { code: code as number, output, errors }
}

describe('npm run demo:postgres', () => {
  it('sets everything up, shows that each company receives its own, and leaves nothing behind', async () => {
    const { code, output, errors } = await run(['--once'])
    expect(errors).toBe('')
    expect(code).toBe(0)
    expect(output.split('\n').slice(2)).toEqual([
      expect.stringMatching(/^ {2}ada shipped order 1 .*; (psql|a pg client) updated all orders$/),
      '  acme    ada  instance 1, WebSocket  ← {"orderChanged":{"id":"1","status":"SHIPPED"}}, {"orderChanged":{"id":"1","status":"DELIVERED"}}',
      '  acme    ada  instance 2, SSE        ← {"orderChanged":{"id":"1","status":"SHIPPED"}}, {"orderChanged":{"id":"1","status":"DELIVERED"}}',
      '  acme    ada  instance 2, remarks    ← {"remarked":{"order":"1","text":"handle with care"}}',
      '  globex  gil  instance 2, WebSocket  ← {"orderChanged":{"id":"2","status":"LOST"}}',
      '  globex  gil  instance 1, remarks    ← nothing',
      '  each received what is theirs and nothing else',
      '',
    ])
  })

  it('stays up until it is told to stop, and exits with 0', async () => {
    const example = startExample([])
    const ended = once(example, 'close')
    let output = ''
    for await (const chunk of example.stdout.setEncoding('utf8')) {
      output += String(chunk)
      if (output.includes('Ctrl+C')) example.kill('SIGTERM')
    }
    expect(await ended).toEqual([0, null])
    expect(output).toMatch(/psql postgres:\/\/\S+ -c "UPDATE orders/)
  })

  it('says what it takes', async () => {
    expect(await run(['--help'])).toMatchObject({ code: 0, output: expect.stringContaining('--once') })
    expect(await run(['--port', 'x'])).toMatchObject({
      code: 2,
      errors: expect.stringContaining('--port takes a number'),
    })
  })
})

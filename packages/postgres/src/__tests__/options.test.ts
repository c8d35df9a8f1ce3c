import { SluiceError } from '@sluice/core'
import { Pool } from 'pg'
import { describe, expect, it } from 'vitest'
import { postgresBus, type PostgresBusOptions } from '../index.ts'

function refusal(options: unknown): SluiceError {
  try {
    void postgresBus(options as PostgresBusOptions).close()
  } catch (error) {
    expect(error).toBeInstanceOf(SluiceError)
    return error as SluiceError
  }
  throw new Error('it was taken')
}

const url = 'postgres://u:p@127.0.0.1:1/d'

describe('the options of postgresBus', () => {
  it.each<[string, unknown, RegExp]>([
    ['nothing', {}, /it needs a "connectionString" or a "pool"/],
    ['an unknown one', { connectionString: url, url }, /"url": there is no such option/],
    ['a connection string that is none', { connectionString: 5 }, /"connectionString": expected string/],
    ['another scheme', { connectionString: 'redis://h/0' }, /scheme has to be "postgres:" or "postgresql:"/],
    ['no URL', { connectionString: 'postgres://h:port/d' }, /it is no URL/],
    ['no host', { connectionString: 'postgres:///d' }, /it names no host/],
    ['a percent sign', { connectionString: 'postgres://u:100%@h/d' }, /its password has a "%"/],
    ['a pool that is none', { pool: {} }, /"pool": /],
    ['an empty schema', { connectionString: url, schema: '' }, /"schema" may have 1 to 63 bytes; it has 0/],
    ['a long schema', { connectionString: url, schema: 'é'.repeat(32) }, /it has 64/],
    ['a schema of Postgres', { connectionString: url, schema: 'pg_sluice' }, /may not begin with "pg_"/],
    ['a NUL', { connectionString: url, schema: 'a\0b' }, /cannot store/],
    ['no poll', { connectionString: url, pollMs: 0 }, /"pollMs"/],
    ['a window of no length', { connectionString: url, dedupWindowMs: 0 }, /"dedupWindowMs"/],
    ['a history without events', { connectionString: url, history: { maxCount: 0 } }, /"history.maxCount"/],
    ['payloads that no column takes', { connectionString: url, maxPayloadBytes: 2 ** 27 }, /"maxPayloadBytes"/],
    ['less waiting than one event', { connectionString: url, maxPendingBytes: 5 }, /"maxPendingBytes" has to be/],
  ])('are refused for %s', (_, options, message) => {
    expect(refusal(options)).toMatchObject({ code: 'BAD_CONFIG', message: expect.stringMatching(message) })
  })

  it.each([
    'hunter2',
    'hunter2:x',
    'redis://u:hunter2@h/0',
    'postgres://u:hunter2/x@h/d',
    'postgres://u:hunter2@h:port/d',
    'postgres://u:hunter2%@h/d',
    'postgres://:hunter2@/d',
  ])('never print a password: %s', (connectionString) => {
    const error = refusal({ connectionString })
    expect(`${error.message} ${String(error.cause)} ${error.stack?.split('\n')[0]}`).not.toContain('hunter2')
  })

  it('take a pool, which is left open', async () => {
    const pool = new Pool({ connectionString: url })
    const bus = postgresBus({ pool })
    await bus.close()
    expect(pool.ended).toBe(false)
    await pool.end()
  })
})

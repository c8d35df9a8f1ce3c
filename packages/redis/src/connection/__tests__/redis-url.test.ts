import { describe, expect, it } from 'vitest'
import { parseRedisUrl } from '../redis-url.ts'

describe('a URL', () => {
  it.each<[string, object]>([
    ['redis://localhost', { host: 'localhost', port: 6379, db: 0 }],
    ['redis://localhost:6380/2', { host: 'localhost', port: 6380, db: 2 }],
    ['REDIS://localhost/', { host: 'localhost', port: 6379, db: 0 }],
    ['redis://localhost:80', { host: 'localhost', port: 80, db: 0 }],
    ['redis://:se%40cret@h:1', { host: 'h', port: 1, password: 'se@cret', db: 0 }],
    ['redis://user:a%3Ab%2F@h', { host: 'h', port: 6379, username: 'user', password: 'a:b/', db: 0 }],
    ['rediss://h:7', { host: 'h', port: 7, db: 0, tls: {} }],
    ['redis://[::1]:7', { host: '::1', port: 7, db: 0 }],
    ['redis://10.0.0.1', { host: '10.0.0.1', port: 6379, db: 0 }],
  ])('%s is read', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address)
  })

  it.each<[string, RegExp]>([
    ['http://u:hunter2@h', /scheme has to be "redis:" or "rediss:".*"http:"/],
    ['unix:///tmp/hunter2.sock', /scheme/],
    ['hunter2', /begin with redis:\/\//],
    ['', /begin with redis:\/\//],
    ['redis://u:hunter2@', /host or port/],
    ['redis://u:hunter2@h:port', /host or port/],
    ['redis://u:hunter2@h:99999', /host or port/],
    ['redis://u:hunter2@h/name', /number of a database/],
    ['redis://u:hunter2@h/0?family=6', /no "\?"/],
    ['redis://u:hunter2%zz@h', /password has a "%"/],
    ['redis://u:hunter2/x@h', /host or port|number of a database/],
  ])('%s is BAD_CONFIG, and its password is not in the message', (url, message) => {
    let error: unknown
    try {
      parseRedisUrl(url)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ name: 'SluiceError', code: 'BAD_CONFIG', message: expect.stringMatching(message) })
    expect(String((error as Error).stack)).not.toContain('hunter2')
    expect((error as Error).cause).toBeUndefined()
  })
})

import { SluiceError } from '@sluice/core'

/** How to reach a server, as ioredis wants it. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly db: number
  readonly tls?: object
}

/**
 * The parts of `redis://user:password@host:port/database`, or `rediss:` for TLS.
 *
 * @throws SluiceError BAD_CONFIG that says which part is wrong, and shows neither the URL nor anything of its credentials.
 */
export function parseRedisUrl(url: string): ServerAddress {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase()
  if (scheme === undefined) throw badUrl('it has to begin with redis:// or rediss://')
  if (scheme !== 'redis' && scheme !== 'rediss') {
    throw badUrl(`its scheme has to be "redis:" or "rediss:" (TLS); it is "${scheme}:"`)
  }
  let parsed: URL
  try {
    // As http, so that the host is read by the rules for hosts, whatever the scheme.
    parsed = new URL(`http${url.slice(scheme.length)}`)
  } catch {
    throw badUrl(
      'its host or port is none, or the user name or password has characters that have to be escaped (%40 for @)',
    )
  }
  const { hostname, port, pathname, search, hash } = parsed
  if (search !== '' || hash !== '') throw badUrl('it may have no "?" or "#"; give a "client" for other options')
  const database = /^\/?(\d{0,5})$/.exec(pathname)?.[1]
  if (database === undefined) throw badUrl('its path has to be the number of a database, for example "/0"')
  const credentials = {
    ...(parsed.username !== '' && { username: unescapePart(parsed.username, 'user name') }),
    ...(parsed.password !== '' && { password: unescapePart(parsed.password, 'password') }),
  }
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    // The URL drops http's own port.
    port: port === '' ? (/:80(?:[/?#]|$)/.test(url.slice(scheme.length + 3)) ? 80 : 6379) : Number(port),
    ...credentials,
    db: Number(database),
    ...(scheme === 'rediss' && { tls: {} }),
  }
}

function unescapePart(part: string, what: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw badUrl(`its ${what} has a "%" that is no escape; write %25`)
  }
}

function badUrl(problem: string): SluiceError {
  return new SluiceError('BAD_CONFIG', `[redisBus] the option "url": ${problem}.`)
}

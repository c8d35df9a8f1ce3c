import { SluiceError } from '@sluice/core'

/**
 * Checks a connection string without connecting. Whatever is wrong, no part of the string is in the message: what is
 * misread as a host or a scheme may be the password.
 *
 * @throws SluiceError BAD_CONFIG, saying which part is wrong.
 */
export function checkConnectionString(who: string, text: string): void {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme !== 'postgres' && scheme !== 'postgresql') {
    throw bad(who, 'its scheme has to be "postgres:" or "postgresql:"')
  }
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw bad(who, 'it is no URL; is its port a number, and are special characters of the password percent-encoded?')
  }
  if (url.hostname === '' && !url.searchParams.has('host')) throw bad(who, 'it names no host')
  for (const part of ['username', 'password', 'pathname'] as const) {
    try {
      decodeURIComponent(url[part])
    } catch {
      throw bad(
        who,
        `its ${part === 'pathname' ? 'database' : part} has a "%" in it that is no percent-encoding; write %25`,
      )
    }
  }
}

function bad(who: string, what: string): SluiceError {
  return new SluiceError('BAD_CONFIG', `[${who}] the option "connectionString": ${what}.`)
}

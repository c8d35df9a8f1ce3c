import type { Logger } from '@sluice/core'

/** A logger that writes to another one as soon as that is known, and to the console until then. */
export interface LateLogger extends Logger {
  writeTo(logger: Logger): void
}

/** The executor is made before Apollo Server tells its plugins which logger it has. */
export function lateLogger(): LateLogger {
  let current: Logger = console
  return {
    debug: (...line) => current.debug(...line),
    info: (...line) => current.info(...line),
    warn: (...line) => current.warn(...line),
    error: (...line) => current.error(...line),
    writeTo(logger) {
      current = logger
    },
  }
}

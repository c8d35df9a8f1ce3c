import { createRequire } from 'node:module'
import { SluiceError } from '@sluice/core'
import type * as PromClient from 'prom-client'

/**
 * prom-client, which only those install who ask for metrics. It is CommonJS, and so can be loaded while
 * `collectMetrics` runs. `from` is the module that looks for it.
 *
 * @throws SluiceError BAD_CONFIG if it is not installed
 */
export function promClient(from: string | URL = import.meta.url): typeof PromClient {
  const require = createRequire(from)
  let path: string
  try {
    path = require.resolve('prom-client')
  } catch (cause) {
    throw new SluiceError(
      'BAD_CONFIG',
      '[collectMetrics] metrics need the package "prom-client": npm install prom-client',
      { cause },
    )
  }
  return require(path) as typeof PromClient
}

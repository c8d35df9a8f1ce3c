import { SluiceError } from '@sluice/core'
import type { MetricsRegistry } from './metrics-registry.ts'

/** The options of {@link collectMetrics}. */
export interface MetricsOptions {
  /** Where the metrics are put. It is not cleared. @default prom-client's global registry */
  readonly registry?: MetricsRegistry | undefined
  /**
   * Labels the gauge of active subscriptions with tenants: the largest have a series each, at most `limit` (1 to 1000) of
   * them; all others are one series, whose label is empty. Their sum is the same as without.
   * @default none: no tenant is named
   */
  readonly tenants?: { readonly limit: number } | undefined
}

const MAX_TENANTS = 1000

const methodsOfExecutor = ['metrics', 'observe']
const methodsOfRegistry = [
  'metrics',
  'registerMetric',
  'getSingleMetric',
  'removeSingleMetric',
] as const satisfies readonly (keyof MetricsRegistry)[]

/** @throws SluiceError BAD_CONFIG, naming the option */
export function checkMetricsOptions(executor: unknown, options: unknown): asserts options is MetricsOptions {
  if (!hasMethods(executor, methodsOfExecutor)) fail('the executor has to be what createSubscriptionExecutor gives')
  if (!isObject(options)) fail('the options have to be an object')
  checkNames(options, ['registry', 'tenants'], '')
  const { registry, tenants } = options
  if (registry !== undefined && !hasMethods(registry, methodsOfRegistry)) {
    fail('the option "registry" has to be a Registry of prom-client')
  }
  if (tenants === undefined) return
  if (!isObject(tenants)) fail('the option "tenants" has to be an object')
  checkNames(tenants, ['limit'], 'tenants.')
  const { limit } = tenants
  if (!Number.isInteger(limit) || (limit as number) < 1 || (limit as number) > MAX_TENANTS) {
    fail(`the option "tenants.limit" has to be an integer between 1 and ${MAX_TENANTS}`)
  }
}

function checkNames(options: object, known: readonly string[], prefix: string): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) fail(`the option "${prefix}${name}" does not exist`)
  }
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => typeof value[name] === 'function')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function fail(what: string): never {
  throw new SluiceError('BAD_CONFIG', `[collectMetrics] ${what}.`)
}

export { collectMetrics, type ExecutorMetrics } from './collect-metrics.ts'
export { metricsHandler } from './metrics-handler.ts'
export type { MetricsOptions } from './metrics-options.ts'
export type { MetricsRegistry } from './metrics-registry.ts'

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { createSubscriptionExecutor } from '@sluice/core'
import { collectMetrics } from '../collect-metrics.ts'
import { metricsHandler } from '../metrics-handler.ts'

async function open() {
  const registry = new Registry()
  const errors: unknown[] = []
  const handler = metricsHandler(collectMetrics(createSubscriptionExecutor(), { registry }), (error) =>
    errors.push(error),
  )
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { registry, errors, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/any/path` }
}

test('it serves what is in the registry, with its content type', async () => {
  const { url } = await open()
  const response = await fetch(url)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(await response.text()).toMatch(/^graphql_subscriptions_active 0$/m)
  const head = await fetch(url, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('a response that somebody else has answered meanwhile is left alone', async () => {
  const { errors, registry } = await open()
  const server = createServer((request, response) => {
    metricsHandler(
      { registry, render: async () => ({ contentType: 'text/plain', body: 'late' }), stop: () => {} },
      (error) => errors.push(error),
    )(request, response)
    response.writeHead(503).end('too late')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  expect([response.status, await response.text()]).toEqual([503, 'too late'])
  expect(errors).toEqual([])
})

test('it is for reading only', async () => {
  const { url } = await open()
  const response = await fetch(url, { method: 'POST', body: 'x' })
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
})

test('what cannot be read is an error without a reason, and reported', async () => {
  const { errors, registry, url } = await open()
  const failure = new Error('password=hunter2')
  registry.registerMetric({ name: 'broken', get: () => Promise.reject(failure) } as never)
  const response = await fetch(url)
  expect([response.status, await response.text()]).toEqual([500, 'The metrics could not be read.\n'])
  expect(errors).toEqual([failure])
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as imported from 'prom-client'
import { afterAll, expect, test } from 'vitest'
import { promClient } from '../prom-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-prometheus-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const moduleIn = (project: string): URL => pathToFileURL(join(folder, project, 'index.js'))

test('prom-client is the one that its user imports', () => {
  expect(promClient().register).toBe(imported.register)
})

test('without prom-client there are no metrics, and the error says how to get them', () => {
  expect(() => promClient(moduleIn('bare'))).toThrow(
    expect.objectContaining({
      code: 'BAD_CONFIG',
      message: '[collectMetrics] metrics need the package "prom-client": npm install prom-client',
      cause: expect.objectContaining({ code: 'MODULE_NOT_FOUND' }),
    }),
  )
})

test('a prom-client that is there and fails says so itself', () => {
  const installed = join(folder, 'broken/node_modules/prom-client')
  mkdirSync(installed, { recursive: true })
  writeFileSync(join(installed, 'index.js'), "throw new Error('half an installation')")
  expect(() => promClient(moduleIn('broken'))).toThrow('half an installation')
})

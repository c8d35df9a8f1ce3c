import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { defineConfig, type TestProjectConfiguration } from 'vitest/config'

// vitest 4 does not read a workspace file by this name: it is an ordinary configuration, and
// vitest.config.ts re-exports it. One project per package, so that a run can be narrowed with --project.

// Vite adds those of imports itself. They are handed on to Node, where one of them would be taken for what CommonJS requires, too.
const conditions = ['@sluice/source', 'node']

// Without this alias a test that imports graphql and Yoga gets two copies of it ("another realm").
const graphql = fileURLToPath(import.meta.resolve('graphql'))

// The tests of the Redis bus run once more with the other major of its client.
const ioredis6 = createRequire(new URL('packages/redis/package.json', import.meta.url)).resolve('ioredis-6')

interface ProjectOptions {
  /** Other packages for names that are imported. */
  readonly alias?: Readonly<Record<string, string>>
  /** What tests get with `inject`. */
  readonly provide?: { readonly ioredisMajor: number }
}

function project(name: string, root: string, options: ProjectOptions = {}): TestProjectConfiguration {
  const alias = Object.entries({ graphql, ...options.alias }).map(([find, replacement]) => ({
    find: new RegExp(`^${find}$`),
    replacement,
  }))
  return {
    resolve: { conditions, alias },
    ssr: { resolve: { conditions } },
    test: {
      name,
      root,
      include: ['src/**/__tests__/**/*.test.ts', 'test/**/*.test.ts', '*.test.ts'],
      testTimeout: 30_000,
      hookTimeout: 60_000,
      execArgv: ['--expose-gc'],
      ...(options.provide !== undefined && { provide: options.provide }),
    },
  }
}

export default defineConfig({
  test: {
    projects: [
      project('core', 'packages/core'),
      project('redis', 'packages/redis', { provide: { ioredisMajor: 5 } }),
      project('redis-ioredis-6', 'packages/redis', { alias: { ioredis: ioredis6 }, provide: { ioredisMajor: 6 } }),
      project('ws', 'packages/ws'),
      project('sse', 'packages/sse'),
      project('envelop', 'packages/envelop'),
      project('yoga', 'packages/yoga'),
      project('apollo', 'packages/apollo'),
      project('prometheus', 'packages/prometheus'),
      project('jit', 'packages/jit'),
      project('postgres', 'packages/postgres'),
      project('testkit', 'packages/testkit'),
      project('bench', 'packages/bench'),
      project('hosts', 'test'),
      project('example-yoga-memory', 'examples/yoga-memory'),
      project('example-yoga-redis', 'examples/yoga-redis'),
      project('example-apollo-memory', 'examples/apollo-memory'),
      project('example-apollo-postgres', 'examples/apollo-postgres'),
      project('example-envelop-fastify', 'examples/envelop-fastify'),
      project('scripts', 'scripts'),
    ],
  },
})

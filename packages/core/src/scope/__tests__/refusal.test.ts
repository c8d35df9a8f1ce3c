import { describe, expect, test, vi } from 'vitest'
import { codesOf, never, schemaOf, serve, type Viewer } from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import { SluiceError } from '../../errors.ts'

function service(scope?: (context: unknown) => unknown) {
  const channel = vi.fn(() => 'orders')
  const schema = schemaOf('changed(tenantId: String, scope: Json): Json', { changed: fromChannel({ channel }) })
  const served = serve(schema, { subscribeTimeoutMs: 20, ...(scope && { scope: scope as () => Viewer }) })
  return { ...served, channel }
}

class Account {
  get tenantId(): string {
    throw new Error('secret')
  }
}

const nobodies: Record<string, () => unknown> = {
  null: () => null,
  undefined: () => undefined,
  'a throw': () => {
    throw new Error('secret')
  },
  'a throw of a SluiceError': () => {
    throw new SluiceError('RATE_LIMITED', 'secret')
  },
  'a rejection': () => Promise.reject(new Error('secret')),
  'a promise of null': async () => null,
  'an answer that never comes': () => never(),
  'a string': () => 't',
  'a list': () => ['t'],
  'a function': () => () => ({ tenantId: 't' }),
  'no tenantId': () => ({ userId: 'alice' }),
  'an empty tenantId': () => ({ tenantId: '' }),
  'a tenantId that is a number': () => ({ tenantId: 1 }),
  'a tenantId that is an object': () => ({ tenantId: { toString: () => 't' } }),
  'a tenantId that is a list': () => ({ tenantId: ['t'] }),
  'a tenantId that is a symbol': () => ({ tenantId: Symbol.for('@sluice/core.shared') }),
  'a tenantId of 257 characters': () => ({ tenantId: 't'.repeat(257) }),
  'a tenantId with a lone surrogate': () => ({ tenantId: 't\uD800' }),
  'an inherited tenantId': () => Object.create({ tenantId: 't' }),
  'a tenantId whose getter throws': () => new Account(),
  'a claim whose getter throws': () => ({
    tenantId: 't',
    get roles() {
      throw new Error('secret')
    },
  }),
  'a userId that is a number': () => ({ tenantId: 't', userId: 7 }),
  'an empty userId': () => ({ tenantId: 't', userId: '' }),
  'a userId with a lone surrogate': () => ({ tenantId: 't', userId: '\uDC00' }),
}

describe('a scope function that gives', () => {
  test.each(Object.entries(nobodies))('%s refuses with UNAUTHENTICATED and runs no resolver', async (_, scope) => {
    const { executor, attempt, channel } = service(scope)
    const outcome = await attempt('subscription { changed }')
    expect(codesOf(outcome)).toEqual(['UNAUTHENTICATED'])
    expect(JSON.stringify(outcome)).not.toContain('secret')
    expect(channel).not.toHaveBeenCalled()
    expect(executor.metrics()).toMatchObject({
      subscriptions: { active: 0, total: 0 },
      groups: { active: 0 },
      security: { checks: 1, passed: 0, rejected: { scope: 1 } },
    })
  })

  test('an expiry in the past refuses with EXPIRED', async () => {
    for (const expiresAt of [0, Date.now() - 1, new Date(0), new Date(Number.NaN), Number.NaN]) {
      expect(codesOf(await service(() => ({ tenantId: 't', expiresAt })).attempt('subscription { changed }'))).toEqual([
        'EXPIRED',
      ])
    }
  })

  test('an expiry in the future, or none, is somebody', async () => {
    for (const expiresAt of [Date.now() + 60_000, new Date(Date.now() + 60_000), null, undefined]) {
      const { subscribe, executor } = service(() => ({ tenantId: 't', expiresAt }))
      await subscribe('subscription { changed }')
      expect(executor.metrics().subscriptions.byTenant).toEqual({ t: 1 })
    }
  })
})

test('without the option "scope" everybody is refused', async () => {
  const { attempt, channel } = service()
  const { executor, schema } = service()
  const outcome = await serve(schema, { scope: undefined }).attempt('subscription { changed }')
  expect(codesOf(outcome)).toEqual(['BAD_CONFIG'])
  expect(codesOf(await attempt('subscription { changed }', null))).toEqual(['UNAUTHENTICATED'])
  expect(channel).not.toHaveBeenCalled()
  await executor.dispose()
})

test('the operator hears why a scope could not be used, the client does not', async () => {
  const { attempt, errors } = service(() => ({ tenantId: '' }))
  const outcome = await attempt('subscription { changed }')
  expect(errors).toEqual([expect.objectContaining({ code: 'UNAUTHENTICATED', cause: expect.any(SluiceError) })])
  expect(outcome).toEqual({ errors: [expect.objectContaining({ message: expect.not.stringContaining('tenantId') })] })
  expect(outcome).toEqual({ errors: [expect.objectContaining({ originalError: undefined })] })
})

test('nothing that a client sends sets the scope', async () => {
  const { attempt, executor } = service()
  const claim = { tenantId: 'other', scope: { tenantId: 'other' }, viewer: { tenantId: 'other' } }
  const query = 'subscription ($tenantId: String, $scope: Json) { changed(tenantId: $tenantId, scope: $scope) }'
  const context = { extensions: claim, connectionParams: claim, params: { variables: claim, extensions: claim } }
  expect(codesOf(await attempt(query, null, { variables: claim, context }))).toEqual(['UNAUTHENTICATED'])
  await attempt(query, { tenantId: 't' }, { variables: claim, context })
  expect(executor.metrics().subscriptions.byTenant).toEqual({ t: 1 })
})

test('register is told the scope by its host, and nothing in the operation changes it', async () => {
  const { executor } = service()
  const address = { connectionId: 'c', subscriptionId: 's', query: 'subscription { changed }' }
  const claim = { tenantId: 'other', scope: { tenantId: 'other' } }
  for (const tenantId of [undefined, null, '', 7]) {
    const request = { ...address, tenantId: tenantId as string, variables: claim, extensions: claim }
    await expect(executor.register(request)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  }
  await executor.register({ ...address, tenantId: 't', variables: claim, extensions: claim })
  expect(executor.metrics().subscriptions.byTenant).toEqual({ t: 1 })
})

import type { FieldName } from './migration.ts'
import { ann, ben, gil, type User } from './users.ts'

/** What somebody does. */
export type Step =
  | { readonly user: User; readonly over: 'HTTP' | 'WebSocket'; readonly mutation: string; readonly answer: object }
  | { readonly celsius: number }

const changed = (id: string, total: number, status: string) => ({
  mutation: `mutation { changeOrder(id: "${id}", total: ${total}, status: "${status}") { id total status } }`,
  answer: { data: { changeOrder: { id, total, status } } },
})
const posted = (text: string) => ({
  mutation: `mutation { post(text: "${text}") { text } }`,
  answer: { data: { post: { text } } },
})
const deposited = (cents: number) => ({
  mutation: `mutation { deposit(cents: ${cents}) }`,
  answer: { data: { deposit: cents } },
})

/** The last event of each field reaches everybody who listens: what came before it has come, or comes never. */
export const script: readonly Step[] = [
  { user: ann, over: 'HTTP', ...posted('hello') },
  { user: gil, over: 'WebSocket', ...posted('hi') },
  { user: ann, over: 'HTTP', ...changed('1', 50, 'new') },
  { user: ben, over: 'WebSocket', ...changed('2', 150, 'paid') },
  { user: gil, over: 'HTTP', ...changed('1', 500, 'new') },
  { user: ben, over: 'HTTP', ...changed('1', 100, 'secret') },
  { user: ann, over: 'WebSocket', ...deposited(250) },
  { user: ben, over: 'HTTP', ...deposited(1) },
  { celsius: 20.6 },
  { celsius: 21.4 },
  { user: ann, over: 'HTTP', ...changed('2', 9999, 'last') },
  { user: ann, over: 'HTTP', ...changed('1', 9999, 'last') },
  { user: gil, over: 'HTTP', ...changed('1', 9999, 'last') },
  { user: gil, over: 'HTTP', ...posted('goodbye') },
  { user: ann, over: 'HTTP', ...deposited(100) },
  { user: ben, over: 'HTTP', ...deposited(200) },
]

/** How servers differ in telling of an error, and the stages of one server with who serves the transport. */
export interface Telling {
  /** What a client is told of an error that nobody meant for it. */
  readonly bug: object
  /** Of a source stream that fails: an `error` message, or a result before `complete`, which may say where it was. */
  readonly failure: 'an error' | 'a result' | 'a located result'
  /** What a subscribe resolver refuses. */
  readonly refusal: 'an error' | 'a result'
  /** What is not valid, and what a server adds to the error. */
  readonly invalid: readonly ['an error' | 'a result', object]
}

/** A subscription, and what it gets in every stage. */
export interface Client {
  readonly name: string
  readonly user: User
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
  readonly results: readonly object[] | ((telling: Telling) => readonly object[])
  /** How it ends by itself: it is invalid, or refused, or fails later, or comes to its end. Without, it goes on. */
  readonly end?:
    | { readonly kind: 'complete' }
    | { readonly kind: 'invalid' | 'refused' | 'failed'; readonly error: object }
}

const data = (name: FieldName | 'countdown', ...values: readonly unknown[]) =>
  values.map((value) => ({ data: { [name]: value } }))

const redacted = {
  data: { orderChanged: { id: '1', status: 'secret', note: null } },
  errors: [
    {
      message: 'Redacted',
      locations: [{ line: 1, column: 50 }],
      path: ['orderChanged', 'note'],
      extensions: { code: 'REDACTED' },
    },
  ],
}

export const clients: readonly Client[] = [
  ...[ann, gil].map((user) => ({
    name: `${user.userId} reads what is posted`,
    user,
    query: 'subscription { posted { text author } }',
    results: data(
      'posted',
      { text: 'hello', author: 'ann' },
      { text: 'hi', author: 'gil' },
      { text: 'goodbye', author: 'gil' },
    ),
  })),
  {
    name: 'ann follows an order',
    user: ann,
    query: 'subscription { orderChanged(id: "1") { id status note } }',
    results: [
      ...data('orderChanged', { id: '1', status: 'new', note: 'It is new.' }),
      redacted,
      ...data('orderChanged', { id: '1', status: 'last', note: 'It is last.' }),
    ],
  },
  {
    name: 'ben follows an order by a variable',
    user: ben,
    query: 'subscription Follow($id: ID!) { orderChanged(id: $id) { ...Order } } fragment Order on Order { id total }',
    variables: { id: '2' },
    results: data('orderChanged', { id: '2', total: 150 }, { id: '2', total: 9999 }),
  },
  {
    name: 'gil follows the order of that id in his tenant',
    user: gil,
    query: 'subscription { orderChanged(id: "1") { id total } }',
    results: data('orderChanged', { id: '1', total: 500 }, { id: '1', total: 9999 }),
  },
  {
    name: 'ann reads of large orders',
    user: ann,
    query: 'subscription { largeOrders(min: 150) { id total } }',
    results: data('largeOrders', { id: '2', total: 150 }, { id: '2', total: 9999 }, { id: '1', total: 9999 }),
  },
  {
    name: 'ben reads of less large ones, under another name',
    user: ben,
    query: 'subscription { large: largeOrders(min: 100) { total } }',
    results: [150, 100, 9999, 9999].map((total) => ({ data: { large: { total } } })),
  },
  {
    name: 'gil reads of large orders',
    user: gil,
    query: 'subscription { largeOrders(min: 150) { id total } }',
    results: data('largeOrders', { id: '1', total: 500 }, { id: '1', total: 9999 }),
  },
  { name: 'ann sees her balance', user: ann, query: 'subscription { balance }', results: data('balance', 2.5, 1) },
  { name: 'ben sees his', user: ben, query: 'subscription { balance }', results: data('balance', 0.01, 2) },
  ...[ann, gil].map((user) => ({
    name: `${user.userId} reads the temperature`,
    user,
    query: 'subscription { temperature }',
    results: data('temperature', 21, 21),
  })),
  {
    name: 'ann audits an order',
    user: ann,
    query: 'subscription { audited(id: "1") { id status viewer } }',
    results: ['new', 'secret', 'last'].map((status) => ({ data: { audited: { id: '1', status, viewer: 'ann' } } })),
  },
  {
    name: 'ben may not',
    user: ben,
    query: 'subscription { audited(id: "1") { id } }',
    results: [],
    end: {
      kind: 'refused',
      error: {
        message: 'Not for you',
        locations: [{ line: 1, column: 16 }],
        path: ['audited'],
        extensions: { code: 'FORBIDDEN' },
      },
    },
  },
  {
    name: 'ann has a mistake in her query',
    user: ann,
    query: 'subscription { auditted(id: "1") { id } }',
    results: [],
    end: {
      kind: 'invalid',
      error: {
        message: 'Cannot query field "auditted" on type "Subscription". Did you mean "audited"?',
        locations: [{ line: 1, column: 16 }],
      },
    },
  },
  {
    name: 'gil meets a bug',
    user: gil,
    query: 'subscription { orderChanged(id: "1") { total printed } }',
    results: ({ bug }) =>
      [500, 9999].map((total) => ({
        data: { orderChanged: { total, printed: null } },
        errors: [{ locations: [{ line: 1, column: 46 }], path: ['orderChanged', 'printed'], ...bug }],
      })),
  },
  {
    name: 'ann counts down',
    user: ann,
    query: 'subscription { countdown(from: 2) }',
    results: data('countdown', 2, 1, 0),
    end: { kind: 'complete' },
  },
  {
    name: 'gil counts too far',
    user: gil,
    query: 'subscription { countdown(from: 9) }',
    results: data('countdown', 9, 8, 7),
    end: { kind: 'failed', error: { message: 'Too far', extensions: { code: 'TOO_FAR' } } },
  },
]

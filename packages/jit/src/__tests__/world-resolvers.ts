import { GraphQLError, type GraphQLFieldResolver, type GraphQLTypeResolver } from 'graphql'
import { chooseBy } from './choose.ts'
import type { WorldContext } from './world-context.ts'
import { echo, pathOf } from './world-echo.ts'
import { valueFor } from './world-values.ts'

/** How a field gets its value. */
export type Manner = 'property' | 'plain' | 'later' | 'flaky' | 'echo'
export const manners: readonly Manner[] = ['plain', 'later', 'flaky']

export const typeManners = ['default', 'sync', 'default', 'sync', 'flaky', 'async'] as const

export function resolverOf(manner: Manner): GraphQLFieldResolver<unknown, WorldContext> | undefined {
  if (manner === 'property') return undefined
  return (source, args: unknown, context, info) => {
    const path = pathOf(info.path)
    context.called.push(path)
    if (manner === 'echo') return echo(args, context, info)
    const at = `${pathOfSource(source)}.${info.fieldName}(${JSON.stringify(args)})`
    const choose = chooseBy(context.seed, `${at}@${path}`)
    const give = () => valueFor(info.returnType, at, context, 2)
    if (manner === 'plain') return give()
    const isAsync = manner === 'later' || choose.chance(40)
    if (!isAsync) return misbehave(choose.int(99), context, at) ?? give()
    return turns(choose.int(4)).then(() => misbehave(choose.int(99), context, at) ?? give())
  }
}

/** Throws, gives an error, or does nothing: so once in about eight times. */
function misbehave(dice: number, { mood }: WorldContext, at: string): unknown {
  if (mood === 'calm' || dice >= 12) return undefined
  if (dice === 0) return new Error(`returned ${at}`)
  const thrown: readonly unknown[] = [
    undefined,
    `a string ${at}`,
    { message: `an object ${at}` },
    new GraphQLError(`with a code ${at}`, { extensions: { code: 'X', at } }),
    new GraphQLError(`elsewhere ${at}`, { path: ['else', 'where'] }),
    Object.assign(new Error(`extended ${at}`), { extensions: { at } }),
    new Error(`an error ${at}`),
  ]
  throw thrown[dice % thrown.length]
}

export function typeResolverOf(
  manner: (typeof typeManners)[number],
): GraphQLTypeResolver<unknown, WorldContext> | undefined {
  if (manner === 'default') return undefined
  return (value, context, info, type) => {
    const { at, kind } = value as { at?: string; kind?: string }
    const choose = chooseBy(context.seed, `${at}:${type.name}:${info.fieldName}:${pathOf(info.path)}`)
    if (manner === 'sync' || context.mood === 'calm') {
      return manner === 'async' ? Promise.resolve(kind) : kind
    }
    const answer = choose.of([
      kind,
      kind,
      kind,
      kind,
      kind,
      'Nobody',
      'Node',
      undefined,
      5 as unknown as string,
      'A',
      'Query',
    ])
    if (choose.chance(5)) throw new Error(`resolveType ${String(info.returnType)}`)
    return manner === 'async' ? Promise.resolve(answer) : answer
  }
}

function pathOfSource(source: unknown): string {
  return String((Object(source) as { at?: unknown }).at ?? 'root')
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

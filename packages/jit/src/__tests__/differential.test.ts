import fc from 'fast-check'
import { execute, type ExecutionResult, printSchema, visit } from 'graphql'
import { expect, test } from 'vitest'
import { type CompiledExecute, compiledExecute } from '../index.ts'
import { type Choose, chooseWith } from './choose.ts'
import { isCompiled } from './same-result.ts'
import { type Mood, WorldContext } from './world-context.ts'
import { unhandledRejections } from './unhandled-rejections.ts'
import { changeVariables, chooseRequest, type WorldRequest } from './world-request.ts'
import { chooseSchema } from './world-schema.ts'
import { leadsElsewhere, normalised } from './normalised-result.ts'
import { rootFor } from './world-values.ts'

/** Worlds that are tried. SLUICE_JIT_RUNS=50000 hunts for an hour. */
const numRuns = Number(process.env['SLUICE_JIT_RUNS'] ?? 500)

interface Played {
  /** What was rejected, and handled by nobody: graphql-js itself leaves promises alone when an item of a list fails. */
  readonly unhandled: readonly string[]
  readonly result: ExecutionResult
  readonly isAsync: boolean
  readonly isCompiled: boolean
  readonly called: readonly string[]
}

async function play(how: CompiledExecute, request: WorldRequest, context: WorldContext): Promise<Played> {
  context.rootValue = rootFor(context)
  const { schema, rootValue, called } = context
  const { document, operationName, variableValues } = request
  let isAsync = false
  let result: ExecutionResult = {}
  const unhandled = await unhandledRejections(async () => {
    const given = how({ schema, document, operationName, variableValues, rootValue, contextValue: context })
    isAsync = given instanceof Promise
    result = await given
  })
  const json = JSON.parse(JSON.stringify(result)) as ExecutionResult
  return { result: json, isAsync, isCompiled: isCompiled(result), called, unhandled }
}

function compare(expected: Played, played: Played): void {
  const { errors } = expected.result
  // What compiled code has begun to wait for it waits for, also if an error makes that superfluous.
  if (errors === undefined || expected.isAsync) expect(played.isAsync).toBe(expected.isAsync)
  if (!expected.isAsync) expect(played.result).toEqual(expected.result)
  else if (!leadsElsewhere(expected.result) && !leadsElsewhere(played.result))
    expect(normalised(played.result)).toEqual(normalised(expected.result))
  else expect(played.result.data).toEqual(expected.result.data)
  for (const message of played.unhandled) expect(expected.unhandled).toContain(message)
  const resolved = played.called.filter((call) => !call.startsWith('then'))
  expect(new Set(resolved).size).toBe(resolved.length)
  if (errors !== undefined) return
  // Also where graphql-js took over because of a value, fields have been executed in another order.
  if (played.isCompiled && !expected.isAsync) expect(played.called).toEqual(expected.called)
  else expect(played.called.toSorted()).toEqual(expected.called.toSorted())
}

/** Several events for one operation: what has been compiled, and what is known of it, serves for the next. */
async function playWorld(choose: Choose): Promise<readonly Played[]> {
  const schema = chooseSchema(choose)
  const request = chooseRequest(choose, schema)
  const names = new Set<string>()
  visit(request.document, { Field: ({ name }) => void names.add(name.value) })
  const compiled = compiledExecute()
  const all: Played[] = []
  let { variableValues } = request
  for (let event = 0; event < 4; event++) {
    variableValues = changeVariables(choose, variableValues ?? null)
    const seed = choose.int(1_000_000)
    const mood = choose.of<Mood>(['calm', 'rough', 'wild'])
    const playWith = (how: CompiledExecute) =>
      play(how, { ...request, variableValues }, new WorldContext(schema, seed, mood, names))
    const expected = await playWith(execute)
    const played = await playWith(compiled)
    try {
      compare(expected, played)
    } catch (error) {
      const world = { seed, mood, variableValues, operationName: request.operationName, data: expected.result.data }
      throw new Error([printSchema(schema), request.text, JSON.stringify(world)].join('\n'), { cause: error })
    }
    all.push(played)
  }
  return all
}

test(
  'a result is that of graphql-js, whatever the schema, the document, the variables and the data are',
  async () => {
    const counts = { all: 0, compiled: 0, failed: 0, async: 0 }
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (generate) => {
        for (const { result, isAsync, isCompiled } of await playWorld(chooseWith(generate))) {
          counts.all += 1
          if (isCompiled) counts.compiled += 1
          if (result.errors !== undefined) counts.failed += 1
          if (isAsync) counts.async += 1
        }
      }),
      { numRuns, interruptAfterTimeLimit: 3_600_000 },
    )
    // The choices are such that the property does not hold for want of any of these.
    expect(counts.compiled).toBeGreaterThan(counts.all / 5)
    expect(counts.failed).toBeGreaterThan(counts.all / 5)
    expect(counts.async).toBeGreaterThan(counts.all / 20)
  },
  numRuns * 1000,
)

import {
  getNamedType,
  getVariableValues,
  type GraphQLSchema,
  isEnumType,
  isListType,
  isSpecifiedScalarType,
  typeFromAST,
  type TypeNode,
  type VariableDefinitionNode,
} from 'graphql'
import type { KnownOperation, OperationVariant } from './operation-lookup.ts'

/** The variables of an execution as they came. */
export type VariableInputs = Readonly<Record<string, unknown>>

/** Variables that are right. */
export interface PreparedVariables {
  /** What they select. */
  readonly variant: OperationVariant
  /** Absent: {@link OperationVariables.coerce} gives them, if somebody needs them. */
  readonly coerced: Readonly<Record<string, unknown>> | undefined
}

interface RememberedVariables extends PreparedVariables {
  readonly values: readonly unknown[]
}

/**
 * The variables of an operation on a schema. A subscription is executed with the same ones for every event, and coercing
 * them takes as long as the compiled code: it is remembered for which they were right.
 */
export class OperationVariables {
  readonly #schema: GraphQLSchema
  readonly #known: KnownOperation
  readonly #definitions: readonly VariableDefinitionNode[]
  readonly #remembered: WeakMap<VariableInputs, RememberedVariables> | undefined

  constructor(schema: GraphQLSchema, known: KnownOperation) {
    this.#schema = schema
    this.#known = known
    this.#definitions = known.operation.variableDefinitions ?? []
    // What a custom scalar says of the same value may change, and so may what is in an object. What is left takes no objects.
    if (this.#definitions.every(({ type }) => isSimple(schema, type))) this.#remembered = new WeakMap()
  }

  /** `undefined` if graphql-js has to execute the operation with these variables, also because they are wrong. */
  prepare(inputs: VariableInputs): PreparedVariables | undefined {
    const remembered = this.#remembered?.get(inputs)
    if (remembered !== undefined && this.#isStill(inputs, remembered.values)) return remembered
    const { coerced } = getVariableValues(this.#schema, this.#definitions, inputs)
    const variant = coerced && this.#known.variantFor(coerced)
    if (variant === undefined) return undefined
    const values = this.#definitions.map((node) => readInput(inputs, node))
    this.#remembered?.set(inputs, { variant, coerced: undefined, values })
    return { variant, coerced }
  }

  /** The coerced variables, if they are right. */
  coerce(inputs: VariableInputs): Readonly<Record<string, unknown>> {
    return getVariableValues(this.#schema, this.#definitions, inputs).coerced ?? {}
  }

  #isStill(inputs: VariableInputs, values: readonly unknown[]): boolean {
    return this.#definitions.every((node, index) => readInput(inputs, node) === values[index])
  }
}

function isSimple(schema: GraphQLSchema, node: TypeNode): boolean {
  const type = typeFromAST(schema, node)
  if (type === undefined || isListType(type)) return false
  const named = getNamedType(type)
  return isEnumType(named) || isSpecifiedScalarType(named)
}

const missing: unique symbol = Symbol('missing')

function readInput(inputs: VariableInputs, { variable }: VariableDefinitionNode): unknown {
  const name = variable.name.value
  return Object.hasOwn(inputs, name) ? inputs[name] : missing
}

import { type DocumentNode, type GraphQLError, type GraphQLSchema, GraphQLError as RequestError, parse, validate } from 'graphql'
import { LRUCache } from 'lru-cache'

/** A document that was parsed and validated, or why it cannot be executed. */
export type CheckedDocument =
  | { readonly document: DocumentNode; readonly errors: undefined }
  | { readonly document: undefined; readonly errors: readonly GraphQLError[] }

/** Distinct documents that are remembered, per schema. */
const maxDocumentCount = 1000

const documents = new WeakMap<GraphQLSchema, LRUCache<string, CheckedDocument>>()

/** Parses and validates once per distinct document and schema: after a deploy every client subscribes anew at once. */
export function checkDocument(schema: GraphQLSchema, query: string): CheckedDocument {
  let ofSchema = documents.get(schema)
  if (ofSchema === undefined) {
    ofSchema = new LRUCache({ max: maxDocumentCount })
    documents.set(schema, ofSchema)
  }
  let checked = ofSchema.get(query)
  if (checked === undefined) {
    checked = check(schema, query)
    ofSchema.set(query, checked)
  }
  return checked
}

function check(schema: GraphQLSchema, query: string): CheckedDocument {
  try {
    const document = parse(query)
    const errors = validate(schema, document)
    return errors.length === 0 ? { document, errors: undefined } : { document: undefined, errors }
  } catch (error) {
    if (error instanceof RequestError) return { document: undefined, errors: [error] }
    throw error
  }
}

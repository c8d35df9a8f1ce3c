import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  GraphQLError as RequestError,
  parse,
  validate,
} from 'graphql'
import { LRUCache } from 'lru-cache'

/** A document that was parsed and validated, or why it cannot be executed. */
export type CheckedDocument =
  | { readonly document: DocumentNode; readonly errors: undefined }
  | { readonly document: undefined; readonly errors: readonly GraphQLError[] }

/** What is remembered, per schema: so many distinct documents, and so many characters of them, since clients choose them. */
const maxDocumentCount = 1000
const maxTotalLength = 2_000_000
/** A longer document is checked anew each time: its syntax tree takes a hundred times its length. */
const maxLength = 32_768

const documents = new WeakMap<GraphQLSchema, LRUCache<string, CheckedDocument>>()

/** Parses and validates once per distinct document and schema: after a deploy every client subscribes anew at once. */
export function checkDocument(schema: GraphQLSchema, query: string): CheckedDocument {
  let ofSchema = documents.get(schema)
  if (ofSchema === undefined) {
    ofSchema = new LRUCache({
      max: maxDocumentCount,
      maxSize: maxTotalLength,
      maxEntrySize: maxLength,
      sizeCalculation: (_, text) => text.length + 1,
    })
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
    const isRequestError = error instanceof RequestError
    // Something else than a syntax error: the parser is recursive, and the document was nested too deeply for it.
    return {
      document: undefined,
      errors: [isRequestError ? error : new RequestError('The document cannot be parsed.')],
    }
  }
}

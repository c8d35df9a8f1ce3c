/** The operation is one that graphql-js has to execute. The message says why, for someone who debugs. */
export class NotCompilable extends Error {
  override readonly name = 'NotCompilable'
}

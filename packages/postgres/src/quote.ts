/** A name as an SQL identifier, whatever characters it holds. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as an SQL literal. It relies on `standard_conforming_strings`, which is on unless somebody turned it off. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

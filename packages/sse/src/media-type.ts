/** The type of a `content-type` header without its parameters, in lower case; empty if there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
}

/** Whether it is what GraphQL requests are sent as. */
export function isJson(mediaType: string): boolean {
  return mediaType === 'application/json' || mediaType === 'application/graphql+json'
}

/** Whether the header says that the text is UTF-8, or does not say what else it is. */
export function isUtf8(contentType: string | undefined): boolean {
  const [, ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase())
  const charsets = parameters.filter((parameter) => parameter.startsWith('charset='))
  return charsets.every((charset) => /^charset="?utf-?8"?$/.test(charset))
}

import { Buffer } from 'node:buffer'

/** The status and headers of an HTTP response. */
export interface ResponseHead {
  readonly status: number
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>
}

const MAX_HEAD_BYTES = 16_384

/** Reads the head of an HTTP response, however it is cut into chunks. */
export class ResponseHeadReader {
  #read: Buffer = Buffer.alloc(0)

  /** The head and what came behind it, or `undefined` if it is not complete. @throws Error if it is none */
  push(chunk: Buffer): { readonly head: ResponseHead; readonly rest: Buffer } | undefined {
    this.#read = Buffer.concat([this.#read, chunk])
    const end = this.#read.indexOf('\r\n\r\n')
    if (end === -1) {
      if (this.#read.length > MAX_HEAD_BYTES) throw new Error('The head of a response does not end.')
      return undefined
    }
    return { head: parseHead(this.#read.toString('latin1', 0, end)), rest: this.#read.subarray(end + 4) }
  }
}

function parseHead(text: string): ResponseHead {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]
  if (status === undefined) throw new Error(`"${statusLine}" is no HTTP response.`)
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  return { status: Number(status), headers: new Map(headers) }
}

import { HttpError } from './http-error.ts'

/** @throws HttpError 400, naming what it is not */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new HttpError(400, `${what} is not JSON.`)
  }
}

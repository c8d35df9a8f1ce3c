import { readFileSync, readdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { Tenant, Tokens } from './tenants.ts'

const contentTypes = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['mjs', 'text/javascript; charset=utf-8'],
])

const headers = {
  // Everything comes from this server; there is nothing inline but the icon and a block of data.
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  // The page carries the tokens of this start of the server.
  'cache-control': 'no-store',
}

/** Serves the page: the files of `public/`, and the released clients as they are, since browsers can load them. */
export function createPage(
  tenants: readonly Tenant[],
  tokens: Tokens,
): (request: IncomingMessage, response: ServerResponse) => void {
  const files = new Map<string, Buffer>()
  addFolder(files, '/', new URL('../public/', import.meta.url))
  addFolder(files, '/clients/graphql-ws/', new URL('./', import.meta.resolve('graphql-ws/client')))
  addFolder(files, '/clients/graphql-sse/', new URL('./', import.meta.resolve('graphql-sse')))
  files.set('/index.html', withTenants(files.get('/index.html'), tenants, tokens))

  return (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '/'
    const name = path === '/' ? '/index.html' : path
    const file = files.get(name)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { ...headers, allow: 'GET, HEAD' }).end()
    } else if (file) {
      response.writeHead(200, { ...headers, 'content-type': typeOf(name), 'content-length': file.length })
      response.end(request.method === 'HEAD' ? undefined : file)
    } else {
      response
        .writeHead(404, { ...headers, 'content-type': 'text/plain; charset=utf-8' })
        .end('There is nothing here.\n')
    }
  }
}

/** Reads a folder's pages, styles and modules at the start: no path of a request ever reaches the file system. */
function addFolder(files: Map<string, Buffer>, prefix: string, folder: URL): void {
  for (const entry of readdirSync(fileURLToPath(folder), { withFileTypes: true })) {
    if (entry.isFile() && contentTypes.has(extensionOf(entry.name))) {
      files.set(prefix + entry.name, readFileSync(new URL(entry.name, folder)))
    }
  }
}

function typeOf(name: string): string {
  return contentTypes.get(extensionOf(name)) ?? 'application/octet-stream'
}

function extensionOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

/**
 * Puts both tenants and their tokens into the page, which stands in for two people who have signed in. `<` is
 * escaped, so that no name can end the block.
 */
function withTenants(html: Buffer | undefined, tenants: readonly Tenant[], tokens: Tokens): Buffer {
  const data = tenants.map((tenant) => ({
    id: tenant.id,
    name: tenant.name,
    transport: tenant.transport,
    bearer: tokens.bearerOf(tenant),
  }))
  const json = JSON.stringify(data).replaceAll('<', String.raw`\u003c`)
  return Buffer.from(String(html).replace('<!-- tenants -->', () => json))
}

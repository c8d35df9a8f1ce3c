/** A `curl` command of a page. */
export interface Curl {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Empty for a GET. */
  readonly body: string
}

/** The blocks of a page in that language, in order. */
export function scriptsIn(markdown: string, language: 'js' | 'ts'): string[] {
  return [...markdown.matchAll(/^```(?<language>\w+).*\n(?<script>[^]*?)^```$/gm)]
    .filter(({ groups }) => groups?.['language'] === language)
    .map(({ groups }) => groups?.['script'] ?? '')
}

/** The `curl` commands of a page's first shell block that has any, in order. */
export function curlsIn(markdown: string): Curl[] {
  const commands = markdown.replaceAll('\\\n', ' ').matchAll(/^curl (?<command>.*)$/gm)
  return [...commands].map(({ groups }) => {
    const command = groups?.['command'] ?? ''
    const headers = [...command.matchAll(/-H '(?<name>[^:]+): (?<value>[^']*)'/g)]
    return {
      path: /localhost:4000(?<path>\S*)/.exec(command)?.groups?.['path'] ?? '/',
      headers: Object.fromEntries(headers.map((header) => [header.groups?.['name'], header.groups?.['value']])),
      body: /-d '(?<body>[^']*)'/.exec(command)?.groups?.['body'] ?? '',
    }
  })
}

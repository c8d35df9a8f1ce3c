/** The commands among what was printed, as requests that `fetch` takes. A machine that has only Node has no curl. */
export function curlsIn(output: string): readonly Request[] {
  const commands = output.replaceAll('\\\n', ' ').match(/^ *curl .*$/gm) ?? []
  return commands.map((command) => {
    const url = /http:\S+/.exec(command)?.[0]
    if (url === undefined) throw new Error(`there is no URL in ${command}`)
    const headers = [...command.matchAll(/-H '([^:']+): ([^']+)'/g)].map(([, name, value]) => [name, value] as const)
    const body = /-d '([^']+)'/.exec(command)?.[1]
    return new Request(url, { headers: headers as [string, string][], ...(body && { method: 'POST', body }) })
  })
}

import { PEOPLE, type Person, tokenOf } from './people.ts'

/** Where the server is, and commands that can be pasted. */
export function invitation(url: string): string {
  const as = (person: Person) => `-H 'authorization: ${tokenOf(person)}'`
  const json = (query: string, variables?: object) =>
    `-H 'content-type: application/json' -d '${JSON.stringify({ query, variables })}'`
  const follow = (query: string) =>
    `curl -N ${url}/graphql/stream ${as(PEOPLE.ben)} -H 'accept: text/event-stream' \\\n    ${json(query)}`
  return `
  GraphQL  ${url}/graphql   (SSE at ${url}/graphql/stream)
  metrics  ${url}/metrics

  The devices go on measuring, every two seconds. Follow one of them, as Ben of Acme:

  ${follow('subscription { reading(device: "freezer") { celsius } }')}

  Wait for an alarm in one terminal, as Ben, and raise it in another, as Ada:

  ${follow('subscription { alarm { device { name } message } }')}
  curl ${url}/graphql ${as(PEOPLE.ada)} \\
    ${json('mutation { raiseAlarm(device: "freezer", user: "ben", message: "it thaws") { message } }')}

  Ctrl+C stops the server.`
}

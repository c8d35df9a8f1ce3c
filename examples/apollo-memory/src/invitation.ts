import { PEOPLE, type Person, tokenOf } from './people.ts'

/** Where the server is, and two commands that can be pasted. */
export function invitation(url: string): string {
  const as = (person: Person) => `-H 'authorization: ${tokenOf(person)}'`
  const json = (query: string) => `-H 'content-type: application/json' -d '{"query":"${query}"}'`
  return `
  GraphQL  ${url}/graphql   (SSE at ${url}/graphql/stream)
  metrics  ${url}/metrics

  Subscribe in one terminal, as Globex's customer, and answer in another, as its staff:

  curl -N ${url}/graphql/stream ${as(PEOPLE.gwen)} -H 'accept: text/event-stream' \\
    ${json('subscription { ticketChanged { id status note } }')}
  curl ${url}/graphql ${as(PEOPLE.gil)} \\
    ${json('mutation { answerTicket(id: 201) { id status note } }')}

  Ctrl+C stops the server.`
}

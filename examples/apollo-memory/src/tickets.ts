/** A ticket as it is stored, and as it travels in events. */
export interface Ticket {
  readonly id: string
  readonly subject: string
  readonly status: 'OPEN' | 'ANSWERED'
  /** The higher, the more urgent. */
  readonly priority: number
  /** For the staff's eyes only. The schema sees to it, wherever a ticket is shown. */
  readonly note: string | null
}

/** One company's tickets. There is a desk for each tenant, and none of them knows another's. */
export interface Desk {
  readonly tickets: readonly Ticket[]
  open(subject: string, priority: number): Ticket
  /** What is left out stays as it is. `undefined` if this desk has no such ticket. */
  answer(id: string, change: TicketChange): Ticket | undefined
}

export interface TicketChange {
  readonly note?: string | null
  readonly priority?: number | null
}

/** The empty desk of each company, by tenant. */
export function createDesks(): ReadonlyMap<string, Desk> {
  return new Map([
    ['acme', createDesk(101)],
    ['globex', createDesk(201)],
  ])
}

function createDesk(firstNumber: number): Desk {
  const tickets: Ticket[] = []
  return {
    tickets,
    open(subject, priority) {
      const ticket: Ticket = {
        id: String(firstNumber + tickets.length),
        subject,
        status: 'OPEN',
        priority,
        note: null,
      }
      tickets.push(ticket)
      return ticket
    },
    answer(id, { note, priority }) {
      const index = tickets.findIndex((ticket) => ticket.id === id)
      const ticket = tickets[index]
      if (!ticket) return undefined
      const answered: Ticket = {
        ...ticket,
        status: 'ANSWERED',
        note: note ?? ticket.note,
        priority: priority ?? ticket.priority,
      }
      tickets[index] = answered
      return answered
    },
  }
}

const statuses = ['CREATED', 'PAID', 'PACKED', 'SHIPPED', 'DELIVERED']
const actions = { PAID: 'Mark paid', PACKED: 'Pack', SHIPPED: 'Ship', DELIVERED: 'Deliver' }
const maxOrderCount = 24

/**
 * The cards of a pane. The board's `revision` counts its changes, and each order carries that of its last one: so a
 * snapshot and the events around it can come in any order, and a hole between two events shows.
 */
export function createOrders({ list, onAdvance }) {
  const template = document.querySelector('#order-template').content.firstElementChild
  const entries = new Map()
  let revision = 0

  function load(board) {
    for (const order of board.orders) keep(order)
    revision = Math.max(revision, board.revision)
  }

  /** Shows a changed order; `false` if changes before this one are missing. */
  function receive(order) {
    const isComplete = order.revision <= revision + 1
    if (keep(order)) highlight(entries.get(order.id).card)
    revision = Math.max(revision, order.revision)
    return isComplete
  }

  /** Whether it was news. */
  function keep(order) {
    const known = entries.get(order.id)
    if (known && known.order.revision >= order.revision) return false
    if (known) {
      known.order = order
      render(known.card, order)
      return true
    }
    const card = template.cloneNode(true)
    card.dataset.order = order.id
    card.querySelector('button').addEventListener('click', () => {
      const to = nextOf(entries.get(order.id).order)
      if (to) onAdvance(order.id, to)
    })
    entries.set(order.id, { order, card })
    render(card, order)
    place(card, order)
    return true
  }

  /** Newest first, and the oldest make room. */
  function place(card, order) {
    const older = [...list.children].find((other) => Number(other.dataset.order) < Number(order.id))
    list.insertBefore(card, older ?? null)
    while (list.children.length > maxOrderCount) {
      entries.delete(list.lastElementChild.dataset.order)
      list.lastElementChild.remove()
    }
  }

  function highlight(card) {
    for (const other of list.querySelectorAll('.changed')) other.classList.remove('changed')
    void card.offsetWidth // restarts the animation
    card.classList.add('changed')
  }

  return {
    load,
    receive,
    get revision() {
      return revision
    },
    newest() {
      const entry = entries.get(list.firstElementChild?.dataset.order)
      return entry && { id: entry.order.id, next: nextOf(entry.order) }
    },
  }
}

function nextOf(order) {
  return statuses[statuses.indexOf(order.status) + 1]
}

/** In place, so that the focus stays on the button that was pressed. */
function render(card, order) {
  const reached = statuses.indexOf(order.status)
  const next = nextOf(order)
  const action = next ? actions[next] : 'Done'
  const button = card.querySelector('button')
  card.dataset.status = order.status
  card.querySelector('.number').textContent = `#${order.id}`
  card.querySelector('.item').textContent = order.item
  card.querySelector('.price').textContent = order.price
  card.querySelector('.status').textContent = order.status.toLowerCase()
  for (const [index, step] of [...card.querySelectorAll('.steps i')].entries()) {
    step.classList.toggle('reached', index <= reached)
  }
  button.textContent = action
  button.setAttribute('aria-label', next ? `${action}: order ${order.id}` : `Order ${order.id} is delivered`)
  button.setAttribute('aria-disabled', String(!next))
}

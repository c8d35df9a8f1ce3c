import { createAudience } from './audience.js'
import { ADVANCE_ORDER, BOARD, CREATE_ORDER, METER, SUBSCRIPTION } from './operations.js'
import { createOrders } from './orders.js'
import { RequestError } from './request.js'
import { connectSse } from './sse.js'
import { connectWebSocket } from './websocket.js'

const connect = { WebSocket: connectWebSocket, SSE: connectSse }
const pollMs = 1000
const soonMs = 50

/** One shop's pane: its own connection with its own token, its orders, its subscribers. */
export function createPane({ tenant, onCounts, foreignOrder }) {
  const element = document.querySelector('#pane-template').content.firstElementChild.cloneNode(true)
  const find = (selector) => element.querySelector(selector)
  const orders = createOrders({ list: find('.orders'), onAdvance: (id, to) => attempt(ADVANCE_ORDER, { id, to }) })
  const audience = createAudience({
    element: find('.watchers'),
    onChange: (query, variables) => attempt(query, variables),
  })
  let transport
  let state
  let timer
  let connections = 0
  let isBehind = false

  element.dataset.tenant = tenant.id
  find('h2').textContent = tenant.name
  find('h2').id = `${tenant.id}-name`
  element.setAttribute('aria-labelledby', `${tenant.id}-name`)
  find('.watchers').setAttribute('aria-label', `Subscribers of ${tenant.name}`)
  find('.transport').textContent = tenant.transport
  find('[data-create]').addEventListener('click', () => attempt(CREATE_ORDER))
  find('[data-reload]').addEventListener('click', () => location.reload())
  find('[data-cross]').addEventListener('click', tryToCross)

  function setState(next) {
    if (state === 'ended') return
    state = next
    element.dataset.state = state
    find('.state').textContent = state
    if (state !== 'live') clearTimeout(timer)
  }

  function start() {
    setState('connecting')
    transport = connect[tenant.transport]({ bearer: tenant.bearer, onState: follow })
    transport.subscribe(SUBSCRIPTION, { next: receive, end })
  }

  /** Live is who is connected and has seen the board as it is now: what happened in between is in there. */
  function follow(connection) {
    connections += 1
    if (connection === 'connected') void load()
    else setState(connection)
  }

  async function load() {
    const connection = connections
    try {
      const { board } = await transport.request(BOARD)
      orders.load(board)
      if (connection !== connections) return // it was cut meanwhile; the next one loads again
      setState('live')
      poll(0)
    } catch (error) {
      if (error instanceof RequestError) return end(error)
      clearTimeout(timer)
      if (connection === connections) timer = setTimeout(load, pollMs)
    }
  }

  function receive({ data, errors }) {
    if (!data) return end(errors?.[0])
    const order = data.orderChanged
    const isComplete = orders.receive(order)
    find('.latest').textContent = `#${order.id} is now ${order.status.toLowerCase()}.`
    if (!isComplete) void load()
    poll(soonMs)
  }

  function end(error) {
    if (state === 'ended') return
    setState('ended')
    transport.close()
    find('.notice').hidden = false
    find('.notice p').textContent =
      error?.code === 'UNAUTHENTICATED' || error?.extensions?.code === 'UNAUTHENTICATED'
        ? 'The server does not know this page any more: it was started again.'
        : `The server ended this subscription${error?.message ? `: ${error.message}` : '.'}`
  }

  /** Asked for, not subscribed to: a subscription to the counters would itself be counted. */
  function poll(waitMs) {
    clearTimeout(timer)
    if (state !== 'live') return
    timer = setTimeout(async () => {
      try {
        const { meter, board } = await transport.request(METER)
        onCounts(meter)
        audience.show(meter)
        // An event may be on its way still; if it is not here by the next reading, the board is fetched again.
        const wasBehind = isBehind
        isBehind = board.revision > orders.revision
        if (wasBehind && isBehind) await load()
      } catch (error) {
        if (error.code === 'UNAUTHENTICATED') end(error)
      }
      poll(pollMs)
    }, waitMs)
  }

  async function attempt(query, variables) {
    if (state !== 'live') return
    try {
      await transport.request(query, variables)
    } catch (error) {
      find('.latest').textContent = error.message
    }
    poll(soonMs)
  }

  async function tryToCross() {
    const order = foreignOrder()
    const output = find('.cross output')
    if (!order) return
    try {
      await transport.request(ADVANCE_ORDER, { id: order.id, to: order.next ?? 'DELIVERED' })
      output.textContent = `#${order.id} was changed. That must not happen.`
    } catch (error) {
      output.textContent = `${error.code ?? 'Failed'} · ${error.message}`
    }
  }

  return { tenant, element, start, newestOrder: orders.newest }
}

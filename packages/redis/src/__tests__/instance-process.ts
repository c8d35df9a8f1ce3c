// A process of its own with a bus: subscribes, says so, and prints the ids of what it hears, one a line, until it is told to end.
import { redisBus } from '../redis-bus.ts'

const [url = '', consumerGroup = '', tenantId = '', count = '0'] = process.argv.slice(2)
const bus = redisBus({ url, consumerGroup })
let heard = 0
await bus.subscribe({ tenantId, name: 'orders' }, { from: 'live' }, (notification) => {
  if (notification.kind === 'gap') process.stdout.write(`gap ${notification.reason}\n`)
  if (notification.kind !== 'event') return
  heard += 1
  process.stdout.write(`${notification.event.eventId}\n`)
  if (heard === Number(count)) void bus.close()
})
process.stdout.write('subscribed\n')

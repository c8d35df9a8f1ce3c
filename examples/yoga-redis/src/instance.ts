// One instance in a process of its own: `instance.ts <redis URL> <port>`. It says where it is, and ends with SIGTERM or SIGINT.
import { startChatServer } from './server.ts'

const [redisUrl = 'redis://localhost:6379', port = '0', instance = port] = process.argv.slice(2)
const server = await startChatServer({ redisUrl, instance, port: Number(port) })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
console.log(`listening on ${server.url}`)

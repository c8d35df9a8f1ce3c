import { Buffer } from 'node:buffer'
import { createServer, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { createSubscriptionExecutor, EncodedResponse, type FrameFormat } from '@sluice/core'
import { sluiceServerOptions } from '@sluice/ws'
import { handleProtocols } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocket, WebSocketServer } from 'ws'
import { typeDefs } from '../workload/workload.ts'
import type { StartServer } from './bench-server.ts'
import { joinFrames, splitFrames } from './frame-writes.ts'
import { listen } from './listen.ts'
import { channelResolvers, executionOptions, TENANT_ID, type User, userOf } from './sluice-schema.ts'

/**
 * Ours with graphql-ws by hand, and one technique switched off, for the ladder. Nothing of ours has switches for this:
 * what is around it is such that it cannot use the technique, or takes back what the technique did. Grouping is switched
 * off by `share`, hooks are in another server.
 */
export const startSluiceWithout: StartServer = async (setup) => {
  const { without, workload } = setup
  if (without === 'sharedBytes') encodeForEachSubscriber()
  const schema = makeExecutableSchema({ typeDefs, resolvers: channelResolvers(setup) })
  const executor = createSubscriptionExecutor({
    schema,
    scope: ({ user }: { readonly user: User | null }) => user,
    ...(await executionOptions(setup)),
  })
  const webSocketServer = new WebSocketServer({
    noServer: true,
    handleProtocols,
    ...(without === 'frames' ? { WebSocket: OtherWebSocket } : {}),
  })
  useServer(
    sluiceServerOptions(executor, {
      schema,
      context: ({ connectionParams }) => ({ user: userOf(connectionParams?.['authorization']) }),
      maskErrors: true,
      ...(without === 'push' ? { subscribe: async (args) => wrapped(await executor.subscribe(args)) } : {}),
    }),
    webSocketServer,
  )
  const httpServer = createServer()
  httpServer.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (without === 'copying') splitFrames(socket)
    if (without === 'sharedBuffer') joinFrames(socket)
    if (without === 'corking') Object.assign(socket, { cork() {}, uncork() {} })
    webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
      webSocketServer.emit('connection', webSocket, request)
    })
  })
  return {
    port: await listen(httpServer),
    path: '/graphql',
    publish: (data) => executor.publish({ tenantId: TENANT_ID, channel: workload.topic, type: 'updated', data }),
  }
}

/** Every subscriber's frame is made of the result anew, as if nobody had made it before. */
function encodeForEachSubscriber(): void {
  EncodedResponse.prototype.framed = function framed(this: EncodedResponse, { before, after }: FrameFormat): Buffer {
    return Buffer.concat([before, Buffer.from(JSON.stringify(this.result)), after])
  }
}

/** The same stream, but none of the executor's own: it has to be pulled. The results are still those of its group. */
function wrapped<T>(result: T): T {
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return result
  const stream = result as unknown as AsyncGenerator<unknown, undefined, undefined>
  const wrapper = {
    next: () => stream.next(),
    return: () => stream.return(undefined),
    throw: (error: unknown) => stream.throw(error),
    [Symbol.asyncIterator]: () => wrapper,
  }
  return wrapper as unknown as T
}

type SendOptions = Parameters<WebSocket['send']>[1]

/** Its `send` is not the one of ws, so it may see every message: ws has to make the frames. */
class OtherWebSocket extends WebSocket {
  override send(data: Buffer, options?: SendOptions | ((error?: Error) => void), sent?: (error?: Error) => void): void {
    if (typeof options === 'function') super.send(data, options)
    else super.send(data, options ?? {}, sent)
  }
}

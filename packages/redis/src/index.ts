export { type RedisBus, redisBus, type RedisBusStats } from './redis-bus.ts'
export type { RedisBusOptions } from './redis-bus-options.ts'
export type { RedisClient } from './connection/redis-client.ts'
export { type RedisAclOptions, redisAclRules } from './acl-rules.ts'

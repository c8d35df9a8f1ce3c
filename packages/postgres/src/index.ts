export { type PostgresBus, postgresBus, type PostgresBusStats } from './postgres-bus.ts'
export type { PostgresBusOptions, PostgresHistoryOptions } from './options.ts'
export type {
  PostgresPool,
  PostgresPoolClient,
  QueryConfig,
  QueryResult,
  TransactionClient,
} from './postgres-client.ts'
export { migrate, type MigrationClient, migrationScript } from './migrations.ts'

import { quoteIdentifier } from './quote.ts'

/** Every statement of the bus. A schema's name is the only thing that is written into one; all else is a parameter. */
export interface Statements {
  /** $1 keys, $2 event ids, $3 types, $4 users, $5 data, $6 headers, $7 published at: arrays. Ids come in their order. */
  readonly insertMany: string
  /** The same for one event, for a transaction of the caller's. */
  readonly insertOne: string
  /** $1 inbox ids, $2 keys, $3 event ids, $4 limit, $5 after, $6 notify, $7 window in ms. */
  readonly settle: string
  /** $1 limit, $2 after, $3 notify, $4 window in ms. */
  readonly drain: string
  /** $1 keys, $2 offsets to tell the anchor of: arrays. One row for each, in their order. */
  readonly channelStates: string
  /** $1 key, $2 after which offset, $3 how many, $4 how many bytes. No row if there is no such channel. */
  readonly channelPage: string
  /** $1 cursor, $2 how many, $3 how many bytes. One row at least, without an event if there is none. */
  readonly readAll: string
  /** The same, with $4 the keys that are wanted. */
  readonly readSome: string
  /** $1 count, $2 age in ms, $3 window in ms, $4 limit. */
  readonly retain: string
  /** $1 age in ms. */
  readonly forgetChannels: string
  readonly state: string
  readonly topSeq: string
}

/** @param schema its name as it is, unquoted */
export function statementsFor(schema: string): Statements {
  const s = quoteIdentifier(schema)
  const columns = 'channel_key, event_id, type, user_id, data, headers, published_at'
  const event = 'l.channel_offset, l.anchor, l.event_id, l.type, l.user_id, l.data, l.headers, l.published_at'

  function read(where: string): string {
    return `
      SELECT t.epoch, t.top_seq, t.now_ms, p.*
      FROM (
        SELECT
          (SELECT epoch FROM ${s}.state) AS epoch,
          coalesce((SELECT l.seq FROM ${s}.log l ORDER BY l.seq DESC LIMIT 1), 0) AS top_seq,
          (extract(epoch FROM now()) * 1000)::float8 AS now_ms
      ) t
      LEFT JOIN LATERAL (
        SELECT * FROM (
          SELECT r.*, sum(octet_length(r.data)) OVER (ORDER BY r.seq) AS bytes
          FROM (
            SELECT l.seq, c.key, c.generation, ${event}
            FROM ${s}.log l JOIN ${s}.channels c ON c.id = l.channel_id
            WHERE l.seq > $1::bigint ${where}
            ORDER BY l.seq LIMIT $2
          ) r
        ) b WHERE b.bytes - octet_length(b.data) < $3::bigint
      ) p ON true
      ORDER BY p.seq`
  }

  return {
    insertMany: `
      INSERT INTO ${s}.inbox (${columns})
      SELECT e.channel_key, e.event_id, e.type, e.user_id, e.data, e.headers, e.published_at
      FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $7::float8[])
        WITH ORDINALITY AS e (${columns}, ordinal)
      ORDER BY e.ordinal
      RETURNING id`,
    insertOne: `INSERT INTO ${s}.inbox (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    settle: `SELECT * FROM ${s}.settle($1::bigint[], $2::bytea[], $3::bytea[], $4, $5, $6, $7)`,
    drain: `SELECT * FROM ${s}.drain($1, $2, false, $3, $4)`,
    channelStates: `
      SELECT
        (extract(epoch FROM now()) * 1000)::float8 AS now_ms, c.generation,
        (extract(epoch FROM c.created_at) * 1000)::float8 AS created_ms, c.floor_offset, c.floor_anchor,
        coalesce(t.channel_offset, c.floor_offset) AS top_offset, coalesce(t.anchor, c.floor_anchor) AS top_anchor,
        a.anchor
      FROM unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS k (key, at_offset, ordinal)
      LEFT JOIN ${s}.channels c ON c.key = k.key
      LEFT JOIN LATERAL (
        SELECT l.channel_offset, l.anchor FROM ${s}.log l
        WHERE l.channel_id = c.id ORDER BY l.channel_offset DESC LIMIT 1
      ) t ON true
      LEFT JOIN LATERAL (
        SELECT l.anchor FROM ${s}.log l WHERE l.channel_id = c.id AND l.channel_offset = k.at_offset LIMIT 1
      ) a ON true
      ORDER BY k.ordinal`,
    channelPage: `
      SELECT c.generation, c.floor_offset, c.floor_anchor, p.*
      FROM ${s}.channels c
      LEFT JOIN LATERAL (
        SELECT * FROM (
          SELECT r.*, sum(octet_length(r.data)) OVER (ORDER BY r.channel_offset) AS bytes
          FROM (
            SELECT ${event} FROM ${s}.log l
            WHERE l.channel_id = c.id AND l.channel_offset > $2::bigint
            ORDER BY l.channel_offset LIMIT $3
          ) r
        ) b WHERE b.bytes - octet_length(b.data) < $4::bigint
      ) p ON true
      WHERE c.key = $1
      ORDER BY p.channel_offset`,
    readAll: read(''),
    readSome: read('AND c.key = ANY ($4::bytea[])'),
    retain: `SELECT ${s}.retain($1::bigint, $2, $3, $4) AS deleted`,
    forgetChannels: `SELECT ${s}.forget_channels($1)`,
    state: `SELECT epoch, notify_channel FROM ${s}.state`,
    topSeq: `
      SELECT
        coalesce((SELECT l.seq FROM ${s}.log l ORDER BY l.seq DESC LIMIT 1), 0) AS top_seq,
        (extract(epoch FROM now()) * 1000)::float8 AS now_ms`,
  }
}

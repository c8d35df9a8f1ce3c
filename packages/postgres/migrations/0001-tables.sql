-- The tables of the bus. Names of channels, types, users and events are UTF-8 in bytea: a channel is compared
-- byte by byte whatever the collation and encoding of the database, and may hold any character, NUL too.

-- One row: what identifies this history.
CREATE TABLE IF NOT EXISTS state (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  -- Drawn at random. A position of another epoch says nothing about this history.
  epoch text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
  -- What drain() notifies and instances listen to.
  notify_channel text NOT NULL DEFAULT 'sluice_' || replace(gen_random_uuid()::text, '-', ''),
  -- The second key of the advisory locks, so that two schemas of one database do not wait for each other.
  lock_key integer NOT NULL DEFAULT floor(random() * 2147483647)::integer,
  -- The largest data that publish() and watched tables accept, in bytes.
  max_payload_bytes integer NOT NULL DEFAULT 1048576 CHECK (max_payload_bytes BETWEEN 1 AND 67108864)
);
INSERT INTO state DEFAULT VALUES ON CONFLICT DO NOTHING;

-- All that a publisher touches: one INSERT, in whatever transaction it likes. It is a queue without a cursor, so a
-- transaction that commits late is never skipped. The checks keep out what drain() could not put into an index.
CREATE TABLE IF NOT EXISTS inbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel_key bytea NOT NULL CHECK (octet_length(channel_key) BETWEEN 2 AND 1600),
  event_id bytea NOT NULL CHECK (octet_length(event_id) BETWEEN 1 AND 768),
  type bytea NOT NULL CHECK (octet_length(type) BETWEEN 1 AND 768),
  user_id bytea CHECK (octet_length(user_id) BETWEEN 1 AND 768),
  data bytea NOT NULL CHECK (octet_length(data) <= 67108864),
  -- A JSON object of strings.
  headers bytea CHECK (octet_length(headers) <= 65536),
  -- Milliseconds since the Unix epoch, by the publisher's clock.
  published_at double precision NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Every channel that has events, or had some within a day. Only retention updates it: under an old snapshot no row
-- version can be vacuumed, so what every event updated would become slower with every event.
CREATE TABLE IF NOT EXISTS channels (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key bytea NOT NULL UNIQUE,
  -- Drawn at random: tells a channel from one that had the same key and was forgotten.
  generation bigint NOT NULL DEFAULT floor(random() * 9007199254740990)::bigint + 1,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The last event that retention deleted; 0 if none was.
  floor_offset bigint NOT NULL DEFAULT 0,
  floor_anchor bigint NOT NULL DEFAULT 0,
  floored_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS channels_floored_at ON channels (floored_at);

-- The history. seq is in the order of commit, since drain() holds a lock until it has committed; channel_offset
-- counts the events of one channel from 1, without holes; anchor is drawn at random, so that an offset that was given out
-- again after a failover is told from the first one.
CREATE TABLE IF NOT EXISTS log (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel_id bigint NOT NULL,
  channel_offset bigint NOT NULL,
  anchor bigint NOT NULL,
  event_id bytea NOT NULL,
  type bytea NOT NULL,
  user_id bytea,
  data bytea NOT NULL,
  headers bytea,
  published_at double precision NOT NULL,
  logged_at timestamptz NOT NULL,
  UNIQUE (channel_id, channel_offset)
);

-- The events of the deduplication window, and where they are: a repeated event id is answered from here.
CREATE TABLE IF NOT EXISTS seen (
  channel_id bigint NOT NULL,
  event_id bytea NOT NULL,
  inbox_id bigint NOT NULL,
  channel_offset bigint NOT NULL,
  anchor bigint NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (channel_id, event_id)
);
CREATE INDEX IF NOT EXISTS seen_seen_at ON seen (seen_at);

-- One row: how far retain() has looked for channels that are over the count.
CREATE TABLE IF NOT EXISTS retention (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  examined_seq bigint NOT NULL DEFAULT 0
);
INSERT INTO retention DEFAULT VALUES ON CONFLICT DO NOTHING;

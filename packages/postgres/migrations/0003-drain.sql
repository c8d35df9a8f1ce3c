-- The sequencer: moves events from the inbox to the log and gives out their places, one drain at a time. The lock is
-- held until the commit, so seq is in the order of commit and a reader needs only "seq > cursor ORDER BY seq".

-- Moves at most p_limit events whose inbox id is above p_after (0: all of them), and 16 MiB of data.
--   drained   how many it took from the inbox; -1 if another drain is at work and p_wait is false
--   published how many of them were new, that is, not a repeated event id
--   last_id   the largest inbox id among them
--   sweep_ms  how long it looked for them: long if an old snapshot keeps vacuum from the inbox
--
-- It commits nothing itself: called in a longer transaction it keeps everybody else's events waiting until that ends.
CREATE OR REPLACE FUNCTION drain(
  p_limit integer DEFAULT 500, p_after bigint DEFAULT 0, p_wait boolean DEFAULT false,
  p_notify boolean DEFAULT true, p_dedup_ms double precision DEFAULT 120000,
  OUT drained integer, OUT published integer, OUT last_id bigint, OUT sweep_ms double precision
) LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET jit = off AS $$
DECLARE
  settings state%ROWTYPE;
  ids bigint[];
  started timestamptz;
BEGIN
  -- With one snapshot for the whole transaction it would not see what the drain before it wrote.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'drain() has to run in a READ COMMITTED transaction.' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  SELECT * INTO STRICT settings FROM state;
  drained := 0;
  published := 0;
  last_id := p_after;
  sweep_ms := 0;
  IF p_wait THEN
    PERFORM pg_advisory_xact_lock(1936487777, settings.lock_key);
  ELSIF NOT pg_try_advisory_xact_lock(1936487777, settings.lock_key) THEN
    drained := -1;
    RETURN;
  END IF;

  started := clock_timestamp();
  SELECT array_agg(taken.id ORDER BY taken.id) INTO ids
  FROM (
    SELECT waiting.id, sum(waiting.bytes) OVER (ORDER BY waiting.id) - waiting.bytes AS bytes_before
    FROM (SELECT i.id, octet_length(i.data) AS bytes FROM inbox i WHERE i.id > p_after ORDER BY i.id LIMIT p_limit) waiting
  ) taken
  WHERE taken.bytes_before < 16777216;
  sweep_ms := extract(epoch FROM clock_timestamp() - started) * 1000;
  IF ids IS NULL THEN RETURN; END IF;
  drained := cardinality(ids);
  last_id := ids[drained];

  INSERT INTO channels (key)
  SELECT DISTINCT i.channel_key FROM inbox i
  WHERE i.id = ANY (ids) AND NOT EXISTS (SELECT FROM channels c WHERE c.key = i.channel_key);

  WITH firsts AS (
    SELECT DISTINCT ON (c.id, i.event_id) i.id, c.id AS channel_id, c.floor_offset, i.event_id
    FROM inbox i JOIN channels c ON c.key = i.channel_key
    WHERE i.id = ANY (ids)
    ORDER BY c.id, i.event_id, i.id
  ), fresh AS (
    -- As a lookup for each, not as a join, for which the planner may read every id of the window.
    SELECT f.* FROM firsts f
    WHERE coalesce((
      SELECT s.seen_at FROM seen s WHERE s.channel_id = f.channel_id AND s.event_id = f.event_id
    ) <= started - p_dedup_ms * interval '1 millisecond', true)
  ), tops AS (
    -- The floor counts where retention has deleted all events of a channel.
    SELECT d.channel_id, greatest(d.floor_offset, coalesce((
      SELECT l.channel_offset FROM log l WHERE l.channel_id = d.channel_id ORDER BY l.channel_offset DESC LIMIT 1
    ), 0)) AS top_offset
    FROM (SELECT DISTINCT f.channel_id, f.floor_offset FROM fresh f) d
  ), numbered AS MATERIALIZED (
    SELECT f.id, f.channel_id, f.event_id,
      t.top_offset + row_number() OVER (PARTITION BY f.channel_id ORDER BY f.id) AS channel_offset,
      floor(random() * 9007199254740990)::bigint + 1 AS anchor
    FROM fresh f JOIN tops t USING (channel_id)
  ), logged AS (
    INSERT INTO log (channel_id, channel_offset, anchor, event_id, type, user_id, data, headers, published_at, logged_at)
    SELECT n.channel_id, n.channel_offset, n.anchor, i.event_id, i.type, i.user_id, i.data, i.headers, i.published_at, started
    FROM numbered n JOIN inbox i USING (id)
    ORDER BY n.id
  )
  INSERT INTO seen AS s (channel_id, event_id, inbox_id, channel_offset, anchor, seen_at)
  SELECT n.channel_id, n.event_id, n.id, n.channel_offset, n.anchor, started FROM numbered n
  ON CONFLICT (channel_id, event_id) DO UPDATE SET
    inbox_id = excluded.inbox_id, channel_offset = excluded.channel_offset,
    anchor = excluded.anchor, seen_at = excluded.seen_at;
  GET DIAGNOSTICS published = ROW_COUNT;

  DELETE FROM inbox i WHERE i.id = ANY (ids);

  -- A wake-up and nothing else. A full queue fails whoever notifies, so it is left alone long before.
  IF published > 0 AND p_notify AND pg_notification_queue_usage() < 0.5 THEN
    PERFORM pg_notify(settings.notify_channel, (SELECT l.seq::text FROM log l ORDER BY l.seq DESC LIMIT 1));
  END IF;
END $$;

-- Drains, waiting for another drain to end, and tells where the events with these inbox ids came to be: one row for each
-- that is out of the inbox by now. The rest is for the next call. What drain() says of its sweep is in every row.
CREATE OR REPLACE FUNCTION settle(
  p_ids bigint[], p_keys bytea[], p_event_ids bytea[],
  p_limit integer, p_after bigint, p_notify boolean, p_dedup_ms double precision
) RETURNS TABLE (
  id bigint, epoch text, generation bigint, channel_offset bigint, anchor bigint, duplicate boolean,
  last_id bigint, sweep_ms double precision
) LANGUAGE plpgsql SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  swept record;
BEGIN
  SELECT * INTO swept FROM drain(p_limit, p_after, true, p_notify, p_dedup_ms);
  RETURN QUERY
    SELECT p.id, state.epoch, c.generation, s.channel_offset, s.anchor, s.inbox_id <> p.id, swept.last_id, swept.sweep_ms
    FROM state CROSS JOIN unnest(p_ids, p_keys, p_event_ids) AS p (id, key, event_id)
    JOIN channels c ON c.key = p.key
    -- LIMIT keeps it a lookup with both columns of the key, whatever the planner thinks of the table.
    CROSS JOIN LATERAL (
      SELECT e.* FROM seen e WHERE e.channel_id = c.id AND e.event_id = p.event_id LIMIT 1
    ) s
    WHERE (SELECT i.id FROM inbox i WHERE i.id = p.id) IS NULL;
END $$;

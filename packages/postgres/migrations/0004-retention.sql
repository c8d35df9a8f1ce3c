-- What keeps the tables small. Nobody waits for it: publishers only insert into the inbox, and it takes other locks than drain().

-- Deletes at most p_limit events (and as many remembered ids) that are over the count of their channel or over the age; NULL means no
-- limit. Returns the larger of the two numbers: if it is p_limit, there may be more. -1 if another one is at work.
CREATE OR REPLACE FUNCTION retain(
  p_max_count bigint DEFAULT NULL, p_max_age_ms double precision DEFAULT NULL,
  p_dedup_ms double precision DEFAULT 120000, p_limit integer DEFAULT 5000
) RETURNS integer LANGUAGE plpgsql SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  at timestamptz := clock_timestamp();
  key integer := (SELECT lock_key FROM state);
  examined bigint;
  examined_now bigint;
  deleted integer := 0;
  forgotten integer := 0;
BEGIN
  IF NOT pg_try_advisory_xact_lock(1936487778, key) THEN RETURN -1; END IF;

  IF p_max_age_ms IS NOT NULL THEN
    WITH oldest AS (
      SELECT l.seq, l.channel_id, l.channel_offset, l.anchor, l.logged_at FROM log l ORDER BY l.seq LIMIT p_limit
    ), doomed AS (
      SELECT o.* FROM oldest o WHERE o.logged_at < at - p_max_age_ms * interval '1 millisecond'
    ), raised AS (
      UPDATE channels c SET floor_offset = f.channel_offset, floor_anchor = f.anchor, floored_at = at
      FROM (
        SELECT DISTINCT ON (d.channel_id) d.channel_id, d.channel_offset, d.anchor FROM doomed d
        ORDER BY d.channel_id, d.channel_offset DESC
      ) f
      WHERE c.id = f.channel_id AND c.floor_offset < f.channel_offset
    )
    DELETE FROM log l USING doomed d WHERE l.seq = d.seq;
    GET DIAGNOSTICS deleted = ROW_COUNT;
  END IF;

  -- Only a channel that got events since the last time can be over its count.
  IF p_max_count IS NOT NULL AND deleted < p_limit THEN
    SELECT r.examined_seq INTO examined FROM retention r;
    SELECT max(recent.seq) INTO examined_now
    FROM (SELECT l.seq FROM log l WHERE l.seq > examined ORDER BY l.seq LIMIT 20000) recent;
    WITH touched AS (
      SELECT DISTINCT l.channel_id FROM log l WHERE l.seq > examined AND l.seq <= examined_now
    ), excess AS (
      SELECT t.channel_id, top.channel_offset - p_max_count AS new_floor
      FROM touched t
      CROSS JOIN LATERAL (
        SELECT l.channel_offset FROM log l WHERE l.channel_id = t.channel_id ORDER BY l.channel_offset DESC LIMIT 1
      ) top
    ), doomed AS (
      SELECT l.seq, l.channel_id, l.channel_offset, l.anchor
      FROM excess e JOIN log l ON l.channel_id = e.channel_id AND l.channel_offset <= e.new_floor
      ORDER BY l.channel_id, l.channel_offset
      LIMIT p_limit - deleted
    ), raised AS (
      UPDATE channels c SET floor_offset = f.channel_offset, floor_anchor = f.anchor, floored_at = at
      FROM (
        SELECT DISTINCT ON (d.channel_id) d.channel_id, d.channel_offset, d.anchor FROM doomed d
        ORDER BY d.channel_id, d.channel_offset DESC
      ) f
      WHERE c.id = f.channel_id AND c.floor_offset < f.channel_offset
    ), gone AS (
      DELETE FROM log l USING doomed d WHERE l.seq = d.seq RETURNING 1
    )
    SELECT deleted + count(*) INTO deleted FROM gone;
    IF deleted < p_limit AND examined_now IS NOT NULL THEN
      UPDATE retention SET examined_seq = examined_now;
    END IF;
  END IF;

  -- Receipts are looked up here, so an id stays a minute in any case.
  DELETE FROM seen s
  WHERE s.ctid = ANY (ARRAY(
      SELECT o.ctid FROM seen o
      WHERE o.seen_at < at - greatest(p_dedup_ms, 60000) * interval '1 millisecond'
      ORDER BY o.seen_at LIMIT p_limit
    ))
    AND s.seen_at < at - greatest(p_dedup_ms, 60000) * interval '1 millisecond';
  GET DIAGNOSTICS forgotten = ROW_COUNT;
  RETURN greatest(deleted, forgotten);
END $$;

-- Forgets channels that are empty and had no event for a day (or twice the age, if that is longer); never earlier, since positions rely
-- on it. Returns how many; -1 if a drain is at work.
CREATE OR REPLACE FUNCTION forget_channels(p_max_age_ms double precision, p_limit integer DEFAULT 1000)
RETURNS integer LANGUAGE plpgsql SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  idle interval := greatest(interval '1 day', p_max_age_ms * 2 * interval '1 millisecond');
  forgotten integer;
BEGIN
  -- A snapshot that is older than the lock would not see the event that a drain before it gave a channel.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'forget_channels() has to run in a READ COMMITTED transaction.' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  -- No drain may number events of a channel while it is deleted.
  IF NOT pg_try_advisory_xact_lock(1936487777, (SELECT lock_key FROM state)) THEN RETURN -1; END IF;
  DELETE FROM channels c
  WHERE c.id = ANY (ARRAY(
      SELECT o.id FROM channels o WHERE o.floored_at < clock_timestamp() - idle ORDER BY o.floored_at LIMIT p_limit
    ))
    AND NOT EXISTS (SELECT FROM log l WHERE l.channel_id = c.id)
    AND NOT EXISTS (SELECT FROM seen s WHERE s.channel_id = c.id);
  GET DIAGNOSTICS forgotten = ROW_COUNT;
  RETURN forgotten;
END $$;

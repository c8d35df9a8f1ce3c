-- Publishing from SQL, from triggers and from other languages. Both functions only insert into the inbox, as part of the
-- caller's transaction, and run as the owner of the schema: whoever publishes needs EXECUTE on them and no table.

-- The name of a channel, a type or an id: what the bus accepts from JavaScript, too.
CREATE OR REPLACE FUNCTION checked_name(value text, what text) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  bytes bytea := convert_to(value, 'UTF8');
BEGIN
  IF value IS NULL OR value = '' THEN
    RAISE EXCEPTION 'The event''s % has to have a name; it is %.', what, coalesce(quote_literal(value), 'NULL')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF char_length(value) > 256 THEN
    RAISE EXCEPTION 'The event''s % may have at most 256 characters; it has %.', what, char_length(value)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- 256 UTF-16 code units, which is what the bus counts, are never more.
  IF octet_length(bytes) > 768 THEN
    RAISE EXCEPTION 'The event''s % may have at most 768 bytes of UTF-8; it has %.', what, octet_length(bytes)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN bytes;
END $$;

-- The key of a tenant's channel. The tenant is length-prefixed: no two pairs have one key.
CREATE OR REPLACE FUNCTION channel_key(tenant text, channel text) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  tenant_bytes bytea := checked_name(tenant, 'tenant');
BEGIN
  RETURN decode('01', 'hex') || int4send(octet_length(tenant_bytes)) || tenant_bytes || checked_name(channel, 'channel');
END $$;

-- The key of a channel that all tenants share.
CREATE OR REPLACE FUNCTION shared_channel_key(channel text) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN decode('00', 'hex') || checked_name(channel, 'channel');
END $$;

-- Checks the event and inserts it. Returns its id.
CREATE OR REPLACE FUNCTION insert_event(key bytea, type text, data jsonb, user_id text, event_id text, headers jsonb)
RETURNS text LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  id text := coalesce(event_id, gen_random_uuid()::text);
  payload bytea := convert_to(coalesce(data, 'null'::jsonb)::text, 'UTF8');
  max_bytes integer := (SELECT max_payload_bytes FROM state);
BEGIN
  IF octet_length(payload) > max_bytes THEN
    RAISE EXCEPTION 'The event has % bytes of data, more than %; publish less.', octet_length(payload), max_bytes
      USING ERRCODE = 'program_limit_exceeded';
  END IF;
  IF headers IS NOT NULL AND (jsonb_typeof(headers) <> 'object' OR jsonb_path_exists(headers, '$.* ? (@.type() != "string")')) THEN
    RAISE EXCEPTION 'The event''s headers have to be an object of strings.' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO inbox (channel_key, event_id, type, user_id, data, headers, published_at)
  VALUES (
    key,
    checked_name(id, 'event_id'),
    checked_name(type, 'type'),
    CASE WHEN user_id IS NOT NULL THEN checked_name(user_id, 'user_id') END,
    payload,
    convert_to(headers::text, 'UTF8'),
    round(extract(epoch FROM clock_timestamp()) * 1000)
  );
  RETURN id;
END $$;

-- Publishes an event to a tenant's channel if, and only if, the caller's transaction commits. Returns its id. Within the
-- deduplication window an event id is published once per channel.
CREATE OR REPLACE FUNCTION publish(
  tenant text, channel text, type text, data jsonb,
  user_id text DEFAULT NULL, event_id text DEFAULT NULL, headers jsonb DEFAULT NULL
) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT insert_event(channel_key(tenant, channel), type, data, user_id, event_id, headers)
$$;

-- The same for a channel that all tenants share.
CREATE OR REPLACE FUNCTION publish_shared(
  channel text, type text, data jsonb, event_id text DEFAULT NULL, headers jsonb DEFAULT NULL
) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT insert_event(shared_channel_key(channel), type, data, NULL, event_id, headers)
$$;

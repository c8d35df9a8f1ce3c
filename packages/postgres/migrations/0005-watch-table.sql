-- Following a table that other programs write: statement-level triggers that put its changes into the inbox, in the
-- transaction of whoever wrote them. Every name goes through format's %I and every text through %L: none is taken for SQL.

-- A list of SQL expressions, one for each name: format_list('r.%I::text', '{id}') is r.id::text.
CREATE OR REPLACE FUNCTION format_list(pattern text, names text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
  SELECT string_agg(format(pattern, n.name), ', ' ORDER BY n.ordinal) FROM unnest(names) WITH ORDINALITY AS n (name, ordinal)
$$;

-- The SQL of a channel's name for the row "r": of order:{id} it is 'order:' || r.id::text. NULL where a column is NULL.
CREATE OR REPLACE FUNCTION channel_expression(template text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
  rest text := template;
  found text[];
  parts text[] := '{}';
BEGIN
  LOOP
    found := regexp_match(rest, '^(.*?)[{]([^{}]+)[}](.*)$');
    EXIT WHEN found IS NULL;
    parts := parts || format('%L', found[1]) || format('r.%I::text', found[2]);
    rest := found[3];
  END LOOP;
  RETURN array_to_string(parts || format('%L', rest), ' || ');
END $$;

-- The SQL that reads the rows of a transition table: key, tenant, channels, data, key_data, ordinal.
CREATE OR REPLACE FUNCTION changed_rows(
  source text, tenant_column text, key_columns text[], data_columns text[], channels text[]
) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
  -- json, since jsonb refuses what a json column may hold; d.* and r.*, since d and r alone might be columns.
  object_sql constant text := '(SELECT to_json(d.*)::text FROM (SELECT %s) d)';
  channel_list text;
BEGIN
  SELECT string_agg(channel_expression(c.template), ', ' ORDER BY c.ordinal) INTO channel_list
  FROM unnest(channels) WITH ORDINALITY AS c (template, ordinal);
  RETURN concat(
    'SELECT ARRAY[', format_list('r.%I::text', key_columns), '] AS key, ',
    CASE WHEN tenant_column = '' THEN 'NULL::text' ELSE format('r.%I::text', tenant_column) END, ' AS tenant, ',
    'ARRAY[', channel_list, ']::text[] AS channels, ',
    CASE WHEN data_columns = '{}' THEN 'to_json(r.*)::text' ELSE format(object_sql, format_list('r.%I', data_columns)) END, ' AS data, ',
    format(object_sql, format_list('r.%I', key_columns)), ' AS key_data, ',
    'row_number() OVER () AS ordinal FROM ', source, ' r'
  );
END $$;

-- The trigger. Its arguments: the tenant's column ('' for a table that all tenants share), then as array literals the columns of
-- the key, those of the data ({} for the whole row) and the channels.
--
-- A row is known by its primary key. For each channel: where it was and is no more, it is a delete; where it was not and
-- is now, an insert; where it stayed and its data changed, an update. "Where" is tenant and channel together, so a row that
-- moves to another tenant tells neither of them anything of the other. A row whose tenant or channel is NULL is nowhere; one
-- that has a channel twice is there once. How values are written is not left to the settings of the session that writes.
CREATE OR REPLACE FUNCTION publish_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET datestyle = 'ISO, MDY' SET timezone = 'UTC'
SET intervalstyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE
  is_shared constant boolean := TG_ARGV[0] = '';
  channels constant text[] := TG_ARGV[3]::text[];
  max_bytes constant integer := (SELECT max_payload_bytes FROM state);
  none constant text := 'SELECT NULL::text[] AS key, NULL::text AS tenant, NULL::text[] AS channels,
    NULL::text AS data, NULL::text AS key_data, NULL::bigint AS ordinal WHERE false';
  before_sql text := none;
  after_sql text := none;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    before_sql := changed_rows('old_rows', TG_ARGV[0], TG_ARGV[1]::text[], TG_ARGV[2]::text[], channels);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    after_sql := changed_rows('new_rows', TG_ARGV[0], TG_ARGV[1]::text[], TG_ARGV[2]::text[], channels);
  END IF;
  EXECUTE format($sql$
    WITH b AS (%s), a AS (%s), pairs AS (
      SELECT
        b.key IS NOT NULL AS was, b.tenant AS old_tenant, b.channels AS old_channels, b.data AS old_data, b.key_data AS old_key,
        a.key IS NOT NULL AS is_now, a.tenant AS new_tenant, a.channels AS new_channels, a.data AS new_data, a.key_data AS new_key,
        coalesce(a.ordinal, b.ordinal) AS ordinal
      FROM b FULL JOIN a ON a.key = b.key
    ), targets AS (
      SELECT p.*, i AS place, p.old_channels[i] AS old_channel, p.new_channels[i] AS new_channel,
        was AND is_place(p.old_tenant, p.old_channels[i], $1) AND array_position(p.old_channels, p.old_channels[i]) = i AS was_there,
        is_now AND is_place(p.new_tenant, p.new_channels[i], $1) AND array_position(p.new_channels, p.new_channels[i]) = i AS is_there,
        ($1 OR p.old_tenant = p.new_tenant) AND p.old_channels[i] = ANY (p.new_channels) AS stays,
        ($1 OR p.old_tenant = p.new_tenant) AND p.new_channels[i] = ANY (p.old_channels) AS stayed
      FROM pairs p CROSS JOIN generate_series(1, $2) i
    ), changes AS (
      SELECT t.ordinal, 0 AS rank, t.place, 'delete' AS type, t.old_tenant AS tenant, t.old_channel AS channel,
        CASE WHEN t.is_now THEN t.old_key ELSE t.old_data END AS data, t.old_key AS key_data
      FROM targets t WHERE t.was_there AND t.stays IS NOT TRUE
      UNION ALL
      SELECT t.ordinal, 1, t.place, CASE WHEN t.stayed THEN 'update' ELSE 'insert' END,
        t.new_tenant, t.new_channel, t.new_data, t.new_key
      FROM targets t WHERE t.is_there AND (t.stayed AND t.old_data = t.new_data) IS NOT TRUE
    ), events AS (
      SELECT c.*, octet_length(convert_to(c.data, 'UTF8')) > $3 AS is_too_large FROM changes c
    )
    INSERT INTO inbox (channel_key, event_id, type, data, headers, published_at)
    SELECT
      CASE WHEN $1 THEN shared_channel_key(e.channel) ELSE channel_key(e.tenant, e.channel) END,
      convert_to(gen_random_uuid()::text, 'UTF8'),
      convert_to(e.type, 'UTF8'),
      convert_to(CASE WHEN e.is_too_large THEN e.key_data ELSE e.data END, 'UTF8'),
      CASE WHEN e.is_too_large THEN convert_to('{"sluice-data":"key"}', 'UTF8') END,
      round(extract(epoch FROM clock_timestamp()) * 1000)
    FROM events e
    ORDER BY e.rank, e.ordinal, e.place
  $sql$, before_sql, after_sql) USING is_shared, cardinality(channels), max_bytes;
  RETURN NULL;
END $$;

-- Whether a row has a place there: names that no subscription can have, and no tenant, are none.
CREATE OR REPLACE FUNCTION is_place(tenant text, channel text, is_shared boolean) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
  SELECT coalesce(
    char_length(channel) BETWEEN 1 AND 256 AND octet_length(convert_to(channel, 'UTF8')) <= 768
      AND (is_shared OR char_length(tenant) BETWEEN 1 AND 256 AND octet_length(convert_to(tenant, 'UTF8')) <= 768),
    false
  )
$$;

-- Publishes the changes of a table from now on.
--
--   tenant_column  the column whose value, as text, is the tenant; NULL only together with shared => true
--   channels       the channels that a row is published to; {column} stands for the value of a column. Default: the table's name
--   columns        what the data of an event holds. Default: the whole row
--   shared         whether the table is for all tenants
--
-- The table needs a primary key. Calling it again replaces what was said before; after a column was renamed it has to be called
-- again, since the table cannot be written meanwhile. TRUNCATE is not seen. Data over state.max_payload_bytes is
-- replaced by the key, with the header "sluice-data": "key".
CREATE OR REPLACE FUNCTION watch_table(
  watched regclass, tenant_column text, channels text[] DEFAULT NULL, columns text[] DEFAULT NULL, shared boolean DEFAULT false
) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  table_name text;
  table_sql text;
  key_columns text[];
  wanted text;
  operation text;
BEGIN
  SELECT c.relname, format('%I.%I', n.nspname, c.relname) INTO STRICT table_name, table_sql
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = watched;
  SELECT array_agg(a.attname::text ORDER BY k.ordinal) INTO key_columns
  FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, ordinal)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = watched AND i.indisprimary;
  IF key_columns IS NULL THEN
    RAISE EXCEPTION 'watch_table: % has no primary key; rows could not be told apart.', table_sql
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF shared IS NOT TRUE AND tenant_column IS NULL THEN
    RAISE EXCEPTION 'watch_table: say which column of % is the tenant, or shared => true if its rows are for all tenants.', table_sql
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF shared AND tenant_column IS NOT NULL THEN
    RAISE EXCEPTION 'watch_table: % is either shared or has a tenant column.', table_sql USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF channels IS NULL AND strpos(table_name, '{') > 0 THEN
    RAISE EXCEPTION 'watch_table: % has a brace in its name; say which channels its rows are published to.', table_sql
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  channels := coalesce(channels, ARRAY[table_name]);
  IF cardinality(channels) = 0 OR array_position(channels, NULL) IS NOT NULL OR array_position(channels, '') IS NOT NULL THEN
    RAISE EXCEPTION 'watch_table: "channels" has to name at least one channel.' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF columns IS NOT NULL AND cardinality(columns) = 0 THEN
    RAISE EXCEPTION 'watch_table: "columns" has to name at least one column.' USING ERRCODE = 'invalid_parameter_value';
  END IF;

  FOR wanted IN
    SELECT tenant_column WHERE tenant_column IS NOT NULL
    UNION SELECT unnest(columns)
    UNION SELECT m.found[1] FROM unnest(channels) AS t (template) CROSS JOIN LATERAL regexp_matches(t.template, '[{]([^{}]+)[}]', 'g') AS m (found)
  LOOP
    IF NOT EXISTS (
      SELECT FROM pg_attribute a WHERE a.attrelid = watched AND a.attname = wanted AND a.attnum > 0 AND NOT a.attisdropped
    ) THEN
      RAISE EXCEPTION 'watch_table: % has no column %.', table_sql, coalesce(quote_ident(wanted), 'NULL')
        USING ERRCODE = 'undefined_column';
    END IF;
  END LOOP;

  SELECT a.attname INTO wanted FROM pg_attribute a
  WHERE a.attrelid = watched AND a.attgenerated = 'v' AND NOT a.attisdropped AND (
    columns IS NULL OR a.attname::text = ANY (columns) OR a.attname = tenant_column
    OR EXISTS (SELECT FROM unnest(channels) AS t (template) WHERE strpos(t.template, '{' || a.attname || '}') > 0)
  )
  LIMIT 1;
  IF wanted IS NOT NULL THEN
    RAISE EXCEPTION 'watch_table: the column % of % is generated when it is read, which a trigger does not do; make it STORED or leave it out of "columns".',
      quote_ident(wanted), table_sql USING ERRCODE = 'invalid_parameter_value';
  END IF;

  PERFORM unwatch_table(watched);
  FOREACH operation IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
    EXECUTE format(
      'CREATE TRIGGER %I AFTER %s ON %s REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION %I.publish_changes(%L, %L, %L, %L)',
      watch_trigger_name(operation), upper(operation), table_sql,
      CASE operation
        WHEN 'insert' THEN 'NEW TABLE AS new_rows'
        WHEN 'delete' THEN 'OLD TABLE AS old_rows'
        ELSE 'OLD TABLE AS old_rows NEW TABLE AS new_rows'
      END,
      current_schema(), coalesce(tenant_column, ''), key_columns::text, coalesce(columns, '{}')::text, channels::text
    );
  END LOOP;
END $$;

-- Takes the triggers of watch_table away; a table that has none is left as it is.
CREATE OR REPLACE FUNCTION unwatch_table(watched regclass) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  found record;
BEGIN
  FOR found IN
    SELECT t.tgname, format('%I.%I', n.nspname, c.relname) AS table_sql
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE t.tgrelid = watched AND t.tgname IN (
      watch_trigger_name('insert'), watch_trigger_name('update'), watch_trigger_name('delete'))
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.table_sql);
  END LOOP;
END $$;

-- Each schema of the bus has triggers of its own; md5, since a name has 63 bytes at most.
CREATE OR REPLACE FUNCTION watch_trigger_name(operation text) RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT 'sluice_' || left(md5(current_schema()), 8) || '_' || operation
$$;

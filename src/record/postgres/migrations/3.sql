CREATE TABLE service (             -- what endpoints of several processes call
  name         TEXT PRIMARY KEY,   -- of `service` in the config, or the URL
  paused_until TIMESTAMPTZ NOT NULL DEFAULT 'epoch'
);
CREATE TABLE service_part (        -- a process's part of it
  service   TEXT NOT NULL,
  worker    BIGINT NOT NULL,
  endpoint  TEXT NOT NULL,
  places    BIGINT NOT NULL,
  rate      FLOAT8 NOT NULL,       -- the share of the rates that the config sets
  is_active BOOLEAN NOT NULL,      -- whether calls are under way or wait
  PRIMARY KEY (service, worker, endpoint)
);
CREATE INDEX service_part_worker ON service_part (worker);
-- Takes a fair part of a service, as soon as the others leave so much; nothing if the process is dead.
-- A part that shrinks is given up only when the process says that it uses less.
CREATE FUNCTION share_service(me BIGINT, what TEXT, by_endpoint TEXT, told_places BIGINT, used_places BIGINT, used_rate FLOAT8,
    calls BOOLEAN, pause FLOAT8)
RETURNS TABLE (my_places BIGINT, my_rate FLOAT8, paused FLOAT8) LANGUAGE plpgsql AS $$
DECLARE
  known  service_part;
  sharers BIGINT;
  before BIGINT;
  others_places BIGINT;
  others_rate FLOAT8;
BEGIN
  PERFORM FROM worker WHERE id = me AND state = 'alive';
  IF NOT FOUND THEN RETURN; END IF;
  INSERT INTO service (name) SELECT what WHERE NOT EXISTS (SELECT FROM service WHERE name = what) ON CONFLICT DO NOTHING;
  UPDATE service SET paused_until = clock_timestamp() + pause * interval '1 second'
    WHERE name = what AND pause > 0 AND paused_until < clock_timestamp() + (pause - 0.1) * interval '1 second';
  -- Without the lock first: mostly nothing has changed, and then nothing is written.
  FOR attempt IN 1..2 LOOP
    IF attempt = 2 THEN
      PERFORM FROM worker WHERE id = me AND state = 'alive' FOR KEY SHARE;
      IF NOT FOUND THEN RETURN; END IF;
      PERFORM FROM service WHERE name = what FOR UPDATE;
    END IF;
    SELECT count(*) FILTER (WHERE is_active), count(*) FILTER (WHERE is_active AND (worker, endpoint) < (me, by_endpoint)),
        coalesce(sum(places), 0), coalesce(sum(rate), 0)
      INTO sharers, before, others_places, others_rate
      FROM service_part JOIN worker ON worker.id = service_part.worker AND worker.state = 'alive'
      WHERE service = what AND (worker, endpoint) <> (me, by_endpoint);
    SELECT * INTO known FROM service_part WHERE service = what AND worker = me AND endpoint = by_endpoint;
    IF calls THEN
      sharers := sharers + 1;
      my_places := least(told_places / sharers + CASE WHEN before < told_places % sharers THEN 1 ELSE 0 END,
        greatest(told_places - others_places, 0));
      my_rate := greatest(least(1.0 / sharers, 1 - others_rate), 0);
    ELSE
      my_places := 0;
      my_rate := 0;
    END IF;
    my_places := coalesce(my_places, 0);
    EXIT WHEN (known.places, known.rate, known.is_active) IS NOT DISTINCT FROM (greatest(my_places, used_places), greatest(my_rate, used_rate), calls);
    IF attempt = 2 THEN
      INSERT INTO service_part AS old (service, worker, endpoint, places, rate, is_active)
        VALUES (what, me, by_endpoint, greatest(my_places, used_places), greatest(my_rate, used_rate), calls)
        ON CONFLICT (service, worker, endpoint) DO UPDATE SET places = excluded.places, rate = excluded.rate, is_active = excluded.is_active;
    END IF;
  END LOOP;
  SELECT greatest(extract(epoch FROM paused_until - clock_timestamp()), 0)::float8 INTO paused FROM service WHERE name = what;
  RETURN NEXT;
END $$;

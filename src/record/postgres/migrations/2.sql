CREATE TABLE purse (               -- what the processes of a run may use together
  run      BIGINT NOT NULL,
  budget   TEXT NOT NULL,          -- money, articles, failures
  cap      FLOAT8 NOT NULL,
  before   FLOAT8 NOT NULL,        -- used by earlier runs
  is_short BOOLEAN NOT NULL DEFAULT false, -- a process got too little, so nobody keeps what it does not need
  PRIMARY KEY (run, budget)
);
CREATE TABLE draw (                -- a process's part of it
  run    BIGINT NOT NULL,
  budget TEXT NOT NULL,
  worker BIGINT NOT NULL,
  drawn  FLOAT8 NOT NULL,          -- what it may use
  used   FLOAT8 NOT NULL,          -- what it has used, as it told last
  PRIMARY KEY (run, budget, worker)
);
-- Draws a part of a budget; nothing if the process is dead. Each statement sees what was committed
-- before it, so the sum over the parts is read under the lock of the purse.
CREATE FUNCTION draw_part(my_run BIGINT, me BIGINT, what TEXT, most FLOAT8, earlier FLOAT8, my_used FLOAT8, my_held FLOAT8, wanted FLOAT8)
RETURNS TABLE (granted FLOAT8, used_by_others FLOAT8, others_hold BOOLEAN) LANGUAGE plpgsql AS $$
DECLARE
  rounding CONSTANT FLOAT8 := 1e-9;
  need   FLOAT8 := my_used + my_held + wanted;
  known  purse;
  others FLOAT8;
  mine   draw;
  tranche FLOAT8;
BEGIN
  IF wanted > 0 THEN
    PERFORM FROM worker WHERE id = me AND state = 'alive' FOR KEY SHARE;
  ELSE
    -- Who only tells, and has nothing new, writes nothing.
    PERFORM FROM worker WHERE id = me AND state = 'alive';
  END IF;
  IF NOT FOUND THEN RETURN; END IF;
  INSERT INTO purse (run, budget, cap, before) SELECT my_run, what, most, earlier
    WHERE NOT EXISTS (SELECT FROM purse WHERE run = my_run AND budget = what) ON CONFLICT DO NOTHING;
  IF wanted > 0 THEN
    SELECT * INTO known FROM purse WHERE run = my_run AND budget = what FOR UPDATE;
  ELSE
    SELECT * INTO known FROM purse WHERE run = my_run AND budget = what;
  END IF;
  SELECT coalesce(sum(drawn), 0), known.before + coalesce(sum(used), 0), coalesce(bool_or(drawn > used + rounding), false)
    INTO others, used_by_others, others_hold FROM draw WHERE run = my_run AND budget = what AND worker <> me;
  SELECT * INTO mine FROM draw WHERE run = my_run AND budget = what AND worker = me;
  IF wanted = 0 THEN
    granted := CASE WHEN known.is_short THEN need ELSE greatest(mine.drawn, need) END;
  ELSIF known.before + others + need > known.cap + rounding THEN
    granted := my_used + my_held;
    UPDATE purse SET is_short = true WHERE run = my_run AND budget = what AND NOT is_short;
  ELSE
    -- A quarter of a fair part, so that others find something, too. Near the cap only what is needed.
    tranche := (known.cap - known.before - others - need) / (4 * (SELECT count(*) FROM worker WHERE run = my_run AND state = 'alive'));
    granted := need + CASE WHEN tranche < 2 * wanted THEN 0 ELSE tranche END;
    UPDATE purse SET is_short = false WHERE run = my_run AND budget = what AND is_short AND tranche >= 2 * wanted;
  END IF;
  IF (mine.drawn, mine.used) IS DISTINCT FROM (granted, my_used) THEN
    PERFORM FROM worker WHERE id = me AND state = 'alive' FOR KEY SHARE;
    IF NOT FOUND THEN RETURN; END IF;
    INSERT INTO draw AS old (run, budget, worker, drawn, used) VALUES (my_run, what, me, granted, my_used)
      ON CONFLICT (run, budget, worker) DO UPDATE SET drawn = excluded.drawn, used = excluded.used;
  END IF;
  RETURN NEXT;
END $$;

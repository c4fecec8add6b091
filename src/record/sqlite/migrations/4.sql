-- A call's claim and its reply become one record; what was spent for nothing goes to `waste`. Columns take the names that the code uses.
ALTER TABLE intent RENAME TO waste;
CREATE TABLE new_call (
  key          BLOB PRIMARY KEY,
  state        TEXT NOT NULL,
  run          INTEGER NOT NULL,
  endpoint     TEXT NOT NULL,
  task         TEXT NOT NULL,
  characters   INTEGER NOT NULL,
  cost         REAL,
  made_at      TEXT NOT NULL,
  attempts     INTEGER NOT NULL DEFAULT 0,
  dialect      TEXT,
  model        TEXT,
  reply        TEXT,
  tokens_in    INTEGER,
  tokens_out   INTEGER,
  milliseconds INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO new_call (key, state, run, endpoint, task, characters, cost, made_at, dialect, model, reply, tokens_in, tokens_out, milliseconds)
  SELECT key, 'answered', run, endpoint, task, characters, cost, made_at, dialect, model, reply, tokens_in, tokens_out, milliseconds FROM call;
DROP TABLE call;
ALTER TABLE new_call RENAME TO call;
INSERT OR IGNORE INTO call (key, state, run, endpoint, task, characters, cost, made_at, attempts)
  SELECT key, 'claimed', run, endpoint, task, characters, cost, made_at, attempts FROM waste WHERE outcome = '';
DELETE FROM waste WHERE outcome = '';
CREATE INDEX call_spent ON call (made_at, endpoint, cost);
CREATE INDEX call_claimed ON call (run) WHERE state = 'claimed';
DROP INDEX row_listed;
DROP INDEX row_flags;
DROP INDEX row_failed;
ALTER TABLE row RENAME COLUMN sketch TO signature;
ALTER TABLE row RENAME COLUMN listed TO in_table;
-- The first 32 bytes were marks; the sentences after them say enough.
UPDATE row SET signature = substr(signature, 33) WHERE signature <> x'';
CREATE INDEX row_in_table ON row (source) WHERE in_table = 1;
CREATE INDEX row_flags ON row (flags) WHERE in_table = 1 AND flags <> '';
CREATE INDEX row_failed ON row (status, source, error) WHERE in_table = 1 AND status IN ('failed', 'skipped');
ALTER TABLE file RENAME COLUMN settings TO settings_hash;
ALTER TABLE file RENAME COLUMN listed TO in_table;
ALTER TABLE output RENAME COLUMN made_with TO settings_hash;
ALTER TABLE run RENAME COLUMN calls TO requests;
ALTER TABLE run RENAME COLUMN repeated TO retried;
ALTER TABLE run RENAME COLUMN remembered TO cached;

CREATE TABLE batch (               -- calls that a service answers together within a day
  number       BIGINT PRIMARY KEY,
  state        TEXT NOT NULL,      -- intended: its lines are in it; uploaded: it may have been created; sent; collected; dissolved
  run          BIGINT NOT NULL,    -- the run that made it
  endpoint     TEXT NOT NULL,
  url          TEXT NOT NULL,
  tag          TEXT NOT NULL,      -- by which it is found again at the service
  file         TEXT,               -- the service's ids of its file and of the batch
  id           TEXT,
  lines        BIGINT NOT NULL,
  bytes        BIGINT NOT NULL,
  tokens       BIGINT NOT NULL,    -- of its prompts, at most
  cost         FLOAT8,             -- at most; NULL: the price is unknown
  made_at      TEXT NOT NULL,      -- UTC, like all times
  sent_at      TEXT,
  cancelled_at TEXT,
  ended_at     TEXT,
  expires_at   TEXT,
  said         TEXT NOT NULL,      -- the service's word for its state, and its counts
  completed    BIGINT,
  failed       BIGINT,
  total        BIGINT
);
CREATE INDEX batch_open ON batch (number) WHERE state NOT IN ('collected', 'dissolved');
CREATE TABLE line (                -- a call for a batch, until its reply is stored
  key        BYTEA PRIMARY KEY,
  batch      BIGINT,               -- NULL: in none
  endpoint   TEXT NOT NULL,
  task       TEXT NOT NULL,
  characters BIGINT NOT NULL,
  request    TEXT NOT NULL,        -- JSON
  tries      INTEGER NOT NULL DEFAULT 0, -- batches without a usable answer
  longer     BOOLEAN NOT NULL DEFAULT false, -- whether its answer may be twice as long
  code       TEXT NOT NULL DEFAULT '', -- why the service refused it for good
  message    TEXT NOT NULL DEFAULT ''
);
CREATE INDEX line_batch ON line (batch) WHERE batch IS NOT NULL;
CREATE INDEX line_free ON line (endpoint, key) WHERE batch IS NULL;
CREATE TABLE ledger (id TEXT NOT NULL); -- the ledger's name in the tags of its batches
INSERT INTO ledger VALUES (substr(gen_random_uuid()::text, 1, 8));

CREATE FUNCTION utc_now() RETURNS TEXT LANGUAGE sql VOLATILE AS
  $$ SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;
CREATE TABLE run (
  number     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  settings   JSONB NOT NULL,       -- what its processes must agree on
  lister     BIGINT,               -- the process that lists the input
  listed     BOOLEAN NOT NULL DEFAULT false, -- whether all pieces are listed
  started_at TEXT NOT NULL DEFAULT utc_now(),
  ended_at   TEXT,
  exit       INTEGER,
  version    TEXT NOT NULL,
  found BIGINT, done BIGINT, earlier BIGINT, skipped BIGINT, failed BIGINT, pending BIGINT, flagged BIGINT, requests BIGINT,
  paid BIGINT, retried BIGINT, maybe_billed BIGINT, cached BIGINT, cost FLOAT8, seconds FLOAT8, estimated BIGINT
);
CREATE TABLE worker (              -- a process that works on a run
  id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run         BIGINT NOT NULL,
  name        TEXT NOT NULL,       -- the machine's name, and the process
  place       TEXT NOT NULL,       -- start of the machine, namespace, process and its start: whether it still runs
  started_at  TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  heard_at    TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(), -- its last heartbeat
  lease_until TIMESTAMPTZ NOT NULL, -- that time and its lease
  grace       INTERVAL NOT NULL,   -- the longest time that one of its calls may take
  state       TEXT NOT NULL DEFAULT 'alive', -- alive, ended, dead: the last two are final
  found BIGINT, done BIGINT, earlier BIGINT, skipped BIGINT, failed BIGINT, pending BIGINT, requests BIGINT, paid BIGINT, retried BIGINT,
  maybe_billed BIGINT, cached BIGINT, cost FLOAT8, estimated BIGINT -- what it did; NULL: not recorded yet
);
CREATE INDEX worker_alive ON worker (run) WHERE state = 'alive';
CREATE TABLE piece (               -- files that one process reads
  number  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run     BIGINT NOT NULL,
  state   TEXT NOT NULL DEFAULT 'open', -- open, taken, done
  worker  BIGINT,                  -- the process that took it last
  files   BIGINT[] NOT NULL,       -- their numbers, folders and names
  folders BYTEA[] NOT NULL,
  names   BYTEA[] NOT NULL,
  last_file BIGINT NOT NULL        -- the highest of their numbers
);
CREATE INDEX piece_left ON piece (run, number) WHERE state <> 'done';
CREATE INDEX piece_last_file ON piece (last_file);
CREATE TABLE call (                -- a call to an endpoint: claimed before it is sent, answered when its reply is kept
  key          BYTEA PRIMARY KEY,  -- BLAKE3 hash of everything that shapes the answer
  state        TEXT NOT NULL,      -- claimed, answered; failed: for good, in its run; free: any process may claim it
  run          BIGINT NOT NULL,    -- the run that made it
  worker       BIGINT NOT NULL,    -- the process that claimed or answered it last
  endpoint     TEXT NOT NULL,      -- its name when the call was made
  task         TEXT NOT NULL,      -- summarise, translate, digest
  characters   BIGINT NOT NULL,    -- of the user's text in the request
  cost         FLOAT8,             -- answered: of the call; claimed: of one attempt, at most; NULL: the price is unknown
  made_at      TEXT NOT NULL,      -- UTC, by the server's clock
  attempts     INTEGER NOT NULL DEFAULT 0, -- claimed: attempts that may have been billed
  dialect      TEXT,               -- these are NULL until the call is answered
  model        TEXT,
  reply        TEXT,               -- JSON
  tokens_in    BIGINT,
  tokens_out   BIGINT,
  milliseconds BIGINT,
  failure      TEXT                -- failed: the code and the reason
);
CREATE INDEX call_spent ON call (made_at, endpoint, cost) WHERE state = 'answered';
CREATE INDEX call_claimed ON call (worker) WHERE state = 'claimed';
CREATE TABLE waste (               -- attempts at a call that may have been billed without a usable answer
  run        BIGINT NOT NULL,
  key        BYTEA NOT NULL,
  worker     BIGINT NOT NULL,
  endpoint   TEXT NOT NULL,
  task       TEXT NOT NULL,
  characters BIGINT NOT NULL,
  cost       FLOAT8,               -- of one attempt: as counted, or else at most; NULL: the price is unknown
  made_at    TEXT NOT NULL,
  outcome    TEXT NOT NULL,        -- lost: no answer came; unusable: the answer could not be used; killed: in flight when its process died;
                                   -- late: another process had the answer already
  attempts   INTEGER NOT NULL,
  PRIMARY KEY (key, run, worker)
);
CREATE TABLE row (
  number BIGINT GENERATED ALWAYS AS IDENTITY,
  source_hash BYTEA PRIMARY KEY,   -- BLAKE3: a source may be too long for an index
  source TEXT COLLATE "C" NOT NULL,
  fingerprint BYTEA,               -- of the article and the settings that made it; NULL: it failed
  run BIGINT NOT NULL,             -- the last run that found it
  id TEXT COLLATE "C" NOT NULL, title_fr TEXT NOT NULL, title_en TEXT NOT NULL, summary_fr TEXT NOT NULL, summary_en TEXT NOT NULL,
  language TEXT NOT NULL, published TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL, flags TEXT NOT NULL, error TEXT NOT NULL,
  words BIGINT NOT NULL, summary_endpoint TEXT NOT NULL, translation_endpoint TEXT NOT NULL, cost FLOAT8, processed_at TEXT NOT NULL,
  text_fr TEXT NOT NULL, text_en TEXT NOT NULL, author TEXT NOT NULL, section TEXT NOT NULL,
  copy_of TEXT NOT NULL,           -- the source whose article this one repeats
  findings TEXT NOT NULL,          -- JSON: what the checks found
  signature BYTEA NOT NULL,        -- of its text, to find near-duplicates
  calls BYTEA NOT NULL,            -- the keys of the calls that made it, 32 bytes each
  file BIGINT,                     -- the file it was read from; NULL: no longer in a file
  in_table BOOLEAN NOT NULL        -- whether it is in the table
);
CREATE UNIQUE INDEX row_number ON row (number);
CREATE INDEX row_in_table ON row (left(source, 400) COLLATE "C") WHERE in_table;
CREATE INDEX row_source ON row (left(source, 400) COLLATE "C");
CREATE INDEX row_id ON row (id);
CREATE INDEX row_file ON row (file);
CREATE INDEX row_fingerprint ON row (fingerprint);
CREATE INDEX row_flags ON row (flags) WHERE in_table AND flags <> '';
CREATE INDEX row_failed ON row (status) WHERE in_table AND status IN ('failed', 'skipped');
CREATE TABLE file (                -- a file of the input; an unchanged one is not opened again
  number   BIGINT PRIMARY KEY,
  path_hash BYTEA NOT NULL UNIQUE, -- BLAKE3 of folder and name
  folder   BYTEA NOT NULL,         -- its path, relative to the config folder if it is below it
  folder_hash BYTEA NOT NULL,
  name     BYTEA NOT NULL,
  size     BIGINT NOT NULL DEFAULT 0,
  modified BIGINT NOT NULL DEFAULT 0, -- nanoseconds since 1970
  inode    BIGINT NOT NULL DEFAULT 0,
  settings_hash BIGINT NOT NULL DEFAULT 0, -- hash of the settings that shaped its rows; 0: the next run reads it again
  in_table BOOLEAN NOT NULL,       -- whether its rows are in the table
  run      BIGINT NOT NULL,        -- the last run that opened it
  done     BIGINT NOT NULL DEFAULT 0, -- its rows, by status
  skipped  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX file_name ON file (folder_hash, substr(name, 1, 1000));
CREATE TABLE output (              -- the files of an output folder as they were written
  folder TEXT NOT NULL, name TEXT NOT NULL, size BIGINT NOT NULL, modified BIGINT NOT NULL, inode BIGINT NOT NULL,
  settings_hash BIGINT NOT NULL, PRIMARY KEY (folder, name)
);

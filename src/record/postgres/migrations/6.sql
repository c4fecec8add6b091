-- When a process first saw a timeline of the server. A promoted standby begins a new timeline.
CREATE TABLE timeline (
  name    TEXT PRIMARY KEY,
  seen_at TIMESTAMPTZ NOT NULL
);
INSERT INTO timeline SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8), 'epoch';

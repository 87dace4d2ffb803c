-- Times are milliseconds since the Unix epoch, digests are SHA-256 in hexadecimal. Texts are compared byte by byte.

-- How many forks there are and what they are made of, kept as they come and go: counting them would take longer the more there
-- are. Whoever makes or drops forks holds the lock of the one row of totals.
CREATE TABLE totals (
    forks      bigint NOT NULL DEFAULT 0,
    base_bytes bigint NOT NULL DEFAULT 0
);
INSERT INTO totals DEFAULT VALUES;
CREATE TABLE owners (
    name  text COLLATE "C" PRIMARY KEY,
    forks bigint NOT NULL
);
CREATE TABLE bases (
    digest text COLLATE "C" NOT NULL,
    size   bigint NOT NULL,
    forks  bigint NOT NULL,
    PRIMARY KEY (digest, size)
);

CREATE TABLE forks (
    id            text COLLATE "C" PRIMARY KEY,
    owner         text COLLATE "C" NOT NULL,
    base_digest   text NOT NULL,
    base_size     bigint NOT NULL,
    base_name     text NOT NULL,
    origin_path   text COLLATE "C",
    origin_digest text,
    label         text,
    created       bigint NOT NULL,
    last_used     bigint NOT NULL,
    ttl           bigint NOT NULL,
    expires       bigint NOT NULL,
    -- The live state; 0 is the base.
    head          bigint NOT NULL DEFAULT 0,
    -- The number of the newest entry.
    newest        bigint NOT NULL DEFAULT 0,
    -- Names the call that made it.
    nonce         bytea NOT NULL,
    CHECK ((origin_path IS NULL) = (origin_digest IS NULL))
);
CREATE INDEX forks_by_use ON forks (last_used DESC, id);
CREATE INDEX forks_by_owner ON forks (owner, last_used DESC, id);
CREATE INDEX forks_by_expiry ON forks (expires);

-- The log: a tree whose root is the base.
CREATE TABLE entries (
    fork    text COLLATE "C" NOT NULL REFERENCES forks (id) ON DELETE CASCADE,
    seq     bigint NOT NULL CHECK (seq > 0),
    parent  bigint NOT NULL CHECK (parent >= 0 AND parent < seq),
    at      bigint NOT NULL,
    -- Names the call that appended it, so that whoever does not know whether it did can look.
    nonce   bytea NOT NULL,
    actor   text NOT NULL,
    summary text NOT NULL,
    payload text NOT NULL,
    PRIMARY KEY (fork, seq)
);
CREATE UNIQUE INDEX entries_by_nonce ON entries (fork, nonce);
CREATE INDEX entries_by_parent ON entries (fork, parent, seq);

-- The newest moves of heads, by the calls that made them.
CREATE TABLE moves (
    fork  text COLLATE "C" NOT NULL REFERENCES forks (id) ON DELETE CASCADE,
    nonce bytea NOT NULL,
    seq   bigint NOT NULL,
    at    bigint NOT NULL,
    PRIMARY KEY (fork, nonce)
);
CREATE INDEX moves_by_time ON moves (at);

CREATE TABLE calls (
    fork    text COLLATE "C" NOT NULL REFERENCES forks (id) ON DELETE CASCADE,
    key     text COLLATE "C" NOT NULL,
    request text NOT NULL,
    seq     bigint NOT NULL,
    answer  text NOT NULL,
    PRIMARY KEY (fork, key)
);

CREATE TABLE checkpoints (
    fork    text COLLATE "C" NOT NULL REFERENCES forks (id) ON DELETE CASCADE,
    name    text COLLATE "C" NOT NULL,
    seq     bigint NOT NULL,
    created bigint NOT NULL,
    number  bigint GENERATED ALWAYS AS IDENTITY,
    -- Names the call that made it.
    nonce   bytea NOT NULL,
    PRIMARY KEY (fork, name)
);

CREATE TABLE staged (
    fork    text COLLATE "C" NOT NULL REFERENCES forks (id) ON DELETE CASCADE,
    id      text COLLATE "C" NOT NULL,
    seq     bigint NOT NULL,
    created bigint NOT NULL,
    number  bigint GENERATED ALWAYS AS IDENTITY,
    summary text NOT NULL,
    payload text NOT NULL,
    PRIMARY KEY (fork, id)
);

-- Outlives the forks that were saved: a replaced file is kept until newer versions push it out.
CREATE TABLE versions (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    path     text COLLATE "C" NOT NULL,
    digest   text NOT NULL,
    size     bigint NOT NULL,
    saved_at bigint NOT NULL,
    -- The fork that was saved over it, if one was.
    fork     text,
    seq      bigint NOT NULL,
    became   text
);
CREATE INDEX versions_by_path ON versions (path, number DESC);

CREATE FUNCTION now_millis() RETURNS bigint
    LANGUAGE sql AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

-- A time and a span, at most the last time that there is.
CREATE FUNCTION later(moment bigint, span bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN span > 9223372036854775807 - greatest(moment, 0) THEN 9223372036854775807 ELSE moment + span END
$$;

CREATE FUNCTION count_fork() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    left_over bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO owners VALUES (NEW.owner, 1)
            ON CONFLICT (name) DO UPDATE SET forks = owners.forks + 1;
        INSERT INTO bases VALUES (NEW.base_digest, NEW.base_size, 1)
            ON CONFLICT (digest, size) DO UPDATE SET forks = bases.forks + 1
            RETURNING forks INTO left_over;
        UPDATE totals SET forks = forks + 1,
            base_bytes = base_bytes + CASE WHEN left_over = 1 THEN NEW.base_size ELSE 0 END;
    ELSE
        UPDATE owners SET forks = forks - 1 WHERE name = OLD.owner RETURNING forks INTO left_over;
        IF left_over = 0 THEN
            DELETE FROM owners WHERE name = OLD.owner;
        END IF;
        UPDATE bases SET forks = forks - 1 WHERE digest = OLD.base_digest AND size = OLD.base_size
            RETURNING forks INTO left_over;
        IF left_over = 0 THEN
            DELETE FROM bases WHERE digest = OLD.base_digest AND size = OLD.base_size;
        END IF;
        UPDATE totals SET forks = forks - 1,
            base_bytes = base_bytes - CASE WHEN left_over = 0 THEN OLD.base_size ELSE 0 END;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER count_fork AFTER INSERT OR DELETE ON forks FOR EACH ROW EXECUTE FUNCTION count_fork();

-- Makes a fork, unless that exceeds a limit: then says which (`owner`, `forks`, `bytes`). `made` says that it was, by this call;
-- `exists` that its id is taken by another one.
CREATE FUNCTION create_fork(
    new_id text, new_owner text, new_base_digest text, new_base_size bigint, new_base_name text, new_origin_path text,
    new_origin_digest text, new_label text, new_ttl bigint, now bigint, new_nonce bytea,
    max_of_owner bigint, max_forks bigint, max_bytes bigint
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    counted totals;
    known bytea;
BEGIN
    SELECT * INTO STRICT counted FROM totals FOR UPDATE;
    SELECT nonce INTO known FROM forks WHERE id = new_id;
    IF known = new_nonce THEN
        RETURN 'made';
    END IF;
    IF coalesce((SELECT forks FROM owners WHERE name = new_owner), 0) + 1 > max_of_owner THEN
        RETURN 'owner';
    ELSIF counted.forks + 1 > max_forks THEN
        RETURN 'forks';
    END IF;
    IF NOT EXISTS (SELECT FROM bases WHERE digest = new_base_digest AND size = new_base_size) THEN
        counted.base_bytes := counted.base_bytes + new_base_size;
    END IF;
    IF counted.base_bytes > max_bytes THEN
        RETURN 'bytes';
    ELSIF known IS NOT NULL THEN
        RETURN 'exists';
    END IF;
    INSERT INTO forks (id, owner, base_digest, base_size, base_name, origin_path, origin_digest, label, created, last_used,
            ttl, expires, nonce)
        VALUES (new_id, new_owner, new_base_digest, new_base_size, new_base_name, new_origin_path, new_origin_digest,
            new_label, now, now, new_ttl, later(now, new_ttl), new_nonce);
    RETURN 'made';
END $$;

-- Drops a fork, and says whether there was one.
CREATE FUNCTION discard_fork(old_id text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM totals FOR UPDATE;
    DELETE FROM forks WHERE id = old_id;
    RETURN FOUND;
END $$;

-- Drops forks whose time has passed, `most` of them at a time, and moves that nobody asks for any more.
CREATE FUNCTION expire_forks(now bigint, most bigint) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM totals FOR UPDATE;
    RETURN QUERY DELETE FROM forks WHERE id IN (
        SELECT id FROM forks WHERE expires <= now ORDER BY expires LIMIT most FOR UPDATE SKIP LOCKED
    ) RETURNING id;
    DELETE FROM moves WHERE at < now - 86400000;
END $$;

-- Moves the head and notes the use. Another machine's clock may be ahead: the last use never goes back.
CREATE FUNCTION set_head(of_fork text, to_seq bigint, new_newest bigint, now bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE forks SET head = to_seq, newest = new_newest, last_used = greatest(last_used, now),
        expires = later(greatest(last_used, now), ttl)
        WHERE id = of_fork
$$;

-- Appends an entry, once for each nonce. Says what came of it: `added`, `guess` (the entry would get the number `seq`, and the
-- answer that was given is for another one), `repeated` and `mismatch` (the call of that key was applied before), `stale` (the
-- head is at `seq`), `no fork`, `no staged`. Nothing has changed unless it is `added`.
CREATE FUNCTION append_entry(
    of_fork text, expected bigint, new_nonce bytea, new_actor text, new_summary text, new_payload text, applies text,
    now bigint, call_key text, call_request text, call_answer text, answered_for bigint,
    OUT outcome text, OUT seq bigint, OUT answer text
) LANGUAGE plpgsql AS $$
DECLARE
    fork forks;
    known calls;
BEGIN
    SELECT * INTO fork FROM forks WHERE id = of_fork FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'no fork';
        RETURN;
    END IF;
    SELECT entries.seq INTO seq FROM entries WHERE entries.fork = of_fork AND nonce = new_nonce;
    IF FOUND THEN
        outcome := 'added';
        SELECT calls.answer INTO answer FROM calls WHERE calls.fork = of_fork AND key = call_key;
        RETURN;
    END IF;
    -- Before the head is looked at: the call moved it when it was applied.
    IF call_key IS NOT NULL THEN
        SELECT * INTO known FROM calls WHERE calls.fork = of_fork AND key = call_key;
        IF FOUND THEN
            outcome := CASE WHEN known.request = call_request THEN 'repeated' ELSE 'mismatch' END;
            seq := known.seq;
            answer := known.answer;
            RETURN;
        END IF;
    END IF;
    IF fork.head <> expected THEN
        outcome := 'stale';
        seq := fork.head;
        RETURN;
    END IF;
    seq := fork.newest + 1;
    IF call_key IS NOT NULL AND answered_for <> seq THEN
        outcome := 'guess';
        RETURN;
    END IF;
    IF applies IS NOT NULL THEN
        DELETE FROM staged WHERE staged.fork = of_fork AND id = applies;
        IF NOT FOUND THEN
            outcome := 'no staged';
            RETURN;
        END IF;
    END IF;
    INSERT INTO entries (fork, seq, parent, at, nonce, actor, summary, payload)
        VALUES (of_fork, append_entry.seq, fork.head, now, new_nonce, new_actor, new_summary, new_payload);
    PERFORM set_head(of_fork, seq, seq, now);
    IF call_key IS NOT NULL THEN
        INSERT INTO calls VALUES (of_fork, call_key, call_request, append_entry.seq, call_answer);
        answer := call_answer;
    END IF;
    outcome := 'added';
END $$;

-- Moves the head to a state, or so many steps in a direction (`to`, `undo`, `redo`), once for each nonce. Says what came of it:
-- `moved` to `seq`, `stale` (the head is at `seq`), `no step` (there are `seq` of them), `no state`, `no fork`.
CREATE FUNCTION move_head(
    of_fork text, expected bigint, direction text, amount bigint, now bigint, new_nonce bytea,
    OUT outcome text, OUT seq bigint
) LANGUAGE plpgsql AS $$
DECLARE
    fork forks;
    at_seq bigint;
    next_seq bigint;
    steps bigint := 0;
BEGIN
    SELECT * INTO fork FROM forks WHERE id = of_fork FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'no fork';
        RETURN;
    END IF;
    SELECT moves.seq INTO seq FROM moves WHERE moves.fork = of_fork AND nonce = new_nonce;
    IF FOUND THEN
        outcome := 'moved';
        RETURN;
    END IF;
    IF fork.head <> expected THEN
        outcome := 'stale';
        seq := fork.head;
        RETURN;
    END IF;
    IF direction = 'to' THEN
        at_seq := amount;
        IF amount > fork.newest THEN
            outcome := 'no state';
            RETURN;
        END IF;
    ELSE
        at_seq := fork.head;
        WHILE steps < amount LOOP
            IF direction = 'undo' THEN
                SELECT parent INTO next_seq FROM entries WHERE entries.fork = of_fork AND entries.seq = at_seq;
            ELSE
                SELECT max(entries.seq) INTO next_seq FROM entries WHERE entries.fork = of_fork AND parent = at_seq;
            END IF;
            IF next_seq IS NULL THEN
                outcome := 'no step';
                seq := steps;
                RETURN;
            END IF;
            at_seq := next_seq;
            steps := steps + 1;
        END LOOP;
    END IF;
    seq := at_seq;
    PERFORM set_head(of_fork, at_seq, fork.newest, now);
    INSERT INTO moves VALUES (of_fork, new_nonce, at_seq, now);
    outcome := 'moved';
END $$;

-- How many entries of the state `unknown` a writer who believed the head to be at `known` has not seen.
CREATE FUNCTION missed_entries(of_fork text, known bigint, unknown bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    missed bigint := 0;
BEGIN
    -- Both lines towards the base, the farther one first, until they meet: a parent's number is smaller than its child's.
    WHILE known <> unknown LOOP
        IF unknown > known THEN
            unknown := coalesce((SELECT parent FROM entries WHERE fork = of_fork AND seq = unknown), 0);
            missed := missed + 1;
        ELSE
            known := coalesce((SELECT parent FROM entries WHERE fork = of_fork AND seq = known), 0);
        END IF;
    END LOOP;
    RETURN missed;
END $$;

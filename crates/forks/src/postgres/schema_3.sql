-- What callers took of their calls a minute: when they could have taken none for as long as to have all again, in microseconds.
CREATE TABLE permits (
    caller  text COLLATE "C" PRIMARY KEY,
    until   bigint NOT NULL,
    granted bigint NOT NULL
);

-- Takes as many of what a caller may take as are wanted, or as there are; for `whole` all of it counts, for `part` each.
CREATE FUNCTION take_permits(of_caller text, moment bigint, wanted bigint, whole bigint, part bigint)
    RETURNS TABLE (taken bigint, full_at bigint) LANGUAGE sql AS $$
    INSERT INTO permits AS kept (caller, until, granted)
        VALUES (of_caller, moment + least(wanted, whole / part) * part, least(wanted, whole / part))
    ON CONFLICT (caller) DO UPDATE SET
        granted = greatest(0, least(wanted, (whole - greatest(kept.until - moment, 0)) / part)),
        until = greatest(kept.until, moment)
            + greatest(0, least(wanted, (whole - greatest(kept.until - moment, 0)) / part)) * part
    RETURNING kept.granted, kept.until
$$;

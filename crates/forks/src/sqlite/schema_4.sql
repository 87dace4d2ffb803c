-- What callers took of their calls a minute: when they could have taken none for as long as to have all again, in microseconds.
CREATE TABLE permits (
    caller  TEXT PRIMARY KEY,
    until   INTEGER NOT NULL,
    granted INTEGER NOT NULL
) STRICT;

-- The digest of what the file was replaced by: a save that was interrupted before it was noted is recognised by it.
ALTER TABLE versions ADD COLUMN became TEXT;

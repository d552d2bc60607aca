-- What became of each field of the post, as the report shows it.
ALTER TABLE delivery ADD COLUMN fields TEXT NOT NULL DEFAULT '[]';

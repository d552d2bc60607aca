-- What is to be sent at once; a person who gives it a time ends that.
ALTER TABLE delivery ADD COLUMN at_once INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET at_once = 1 WHERE EXISTS (
    SELECT 1 FROM part WHERE part.delivery_id = delivery.id AND part.position = 1
    AND part.due_at <= delivery.created_at)
  AND NOT EXISTS (SELECT 1 FROM history WHERE history.delivery_id = delivery.id
    AND history.event = 'reschedule');

-- Since when nothing of the part could be sent, over all tries in a row.
ALTER TABLE part ADD COLUMN failing_since INTEGER;

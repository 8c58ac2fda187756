/** Counts anew what points at each payload file, after rows were brought in from logs, and lets none wait for removal that is needed. */
export const COUNT_REFERENCES = `
  UPDATE blob SET refcount = counted.number FROM (
    SELECT id, (SELECT COUNT(*) FROM extent WHERE blob_id = blob.id) + (SELECT COUNT(*) FROM part WHERE blob_id = blob.id) AS number
    FROM blob
  ) AS counted WHERE counted.id = blob.id AND counted.number <> refcount;
  DELETE FROM gc WHERE blob_id IN (SELECT id FROM blob WHERE refcount > 0);
`

-- SPDX-License-Identifier: Apache-2.0
-- A page of a bucket's uploads, the oldest first, costs what it shows: ids begin with the time (0010), so one index serves
-- that list and what a move asks of an upload's row by its id. Writers keep as many indexes as before.

DROP INDEX uploads_id;
CREATE INDEX uploads_id ON uploads (bucket_id, upload_id);

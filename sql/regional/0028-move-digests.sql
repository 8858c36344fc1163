-- SPDX-License-Identifier: Apache-2.0
-- What a moved blob is checked against is the row that names it; of a part also the upload's, which says
-- how its bytes are sealed.

CREATE INDEX uploads_id ON uploads (upload_id);

-- SPDX-License-Identifier: Apache-2.0
-- The numbers of events (0024), without a queue of writers: whoever pulls the sequence up to the clock holds the lock for
-- that alone and not until his commit. Else every writer who came to it meanwhile waited for that commit, and found the
-- clock ahead again when it was his turn: one commit at a time, for as long as anybody wrote.

CREATE OR REPLACE FUNCTION notification_number() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
    v_n bigint := nextval('notification_numbers');
BEGIN
    IF v_n < v_now - 10000 THEN
        -- The session's, as the transaction's cannot be given back; whatever breaks in, it is.
        BEGIN
            PERFORM pg_advisory_lock(4246, 0);
            IF (SELECT last_value FROM notification_numbers) < v_now - 10000 THEN
                PERFORM setval('notification_numbers', v_now);
            END IF;
            PERFORM pg_advisory_unlock(4246, 0);
        EXCEPTION WHEN query_canceled OR OTHERS THEN
            PERFORM pg_advisory_unlock(4246, 0);
            RAISE;
        END;
        v_n := nextval('notification_numbers');
    END IF;
    RETURN v_n;
END $$;

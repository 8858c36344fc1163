-- SPDX-License-Identifier: Apache-2.0
-- sql/global/0015-webhook-enabled.sql - a webhook may be switched off for a while; its events wait meanwhile.

ALTER TABLE webhooks ADD COLUMN enabled boolean NOT NULL DEFAULT true;

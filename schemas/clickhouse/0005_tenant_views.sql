-- What a tenant's queries read. The view runs as astralog_reader, who may not log in and whose row filter lets pass only
-- the tenant that the request's X-Astralog-Tenant header names; without the header, no row. A request header is out of
-- reach of SQL text, unlike a setting. The user who queries has no right on the tables themselves, because ClickHouse's
-- mergeTreeIndex and mergeTreeTextIndex would show every tenant's words past any row filter.
CREATE OR REPLACE VIEW {database}.tenant_events DEFINER = astralog_reader SQL SECURITY DEFINER
    AS SELECT * FROM {database}.events;

CREATE OR REPLACE VIEW {database}.tenant_batches DEFINER = astralog_reader SQL SECURITY DEFINER
    AS SELECT *, minute FROM {database}.batches FINAL;

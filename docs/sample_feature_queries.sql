-- Sample queries, one per block. Tables and columns: schema.md.
--
-- "database" queries ask the store's database as it is on SQLite (data/feature_store.db):
--     sqlite3 -header -column data/feature_store.db
-- On PostgreSQL write  values ->> 'balance_mean_v1'  for  json_extract("values", '$.balance_mean_v1').
--
-- "history" queries ask the Delta tables, here through DuckDB in Python:
--     import duckdb
--     from deltalake import DeltaTable
--     files = DeltaTable("data/offline/customer_financial").file_uris()
--     duckdb.read_parquet(files, union_by_name=True).create_view("customer_financial")
--     print(duckdb.sql("SELECT …"))

-- discovery: all features with group, type, owner and how complete they are (database)
SELECT f.name, g.name AS feature_group, v.major || '.' || v.minor AS version, v.data_type,
       coalesce(nullif(f.owner, ''), g.owner) AS owner, p.completeness, v.source_problem
FROM catalog_feature f
JOIN catalog_featuregroup g ON g.id = f.group_id
JOIN catalog_featureversion v ON v.id = f.default_version_id
LEFT JOIN catalog_featureprofile p ON p.id = v.latest_profile_id
WHERE f.status = 'active'
ORDER BY g.name, f.name;

-- discovery: features that carry a tag (database)
SELECT f.name, f.description
FROM catalog_feature f
JOIN catalog_feature_tags ft ON ft.feature_id = f.id
JOIN catalog_tag t ON t.id = ft.tag_id
WHERE t.name = 'financial'
ORDER BY f.name;

-- discovery: what a feature service pins, in its order (database)
SELECT s.name AS service, e.name || '_' || f.name || '_v' || v.major AS feature_id, v.major || '.' || v.minor AS version
FROM catalog_featureservice s
JOIN catalog_featureservicemember m ON m.service_id = s.id
JOIN catalog_featureversion v ON v.id = m.version_id
JOIN catalog_feature f ON f.id = v.feature_id
JOIN catalog_entity e ON e.id = f.entity_id
ORDER BY s.name, m.position;

-- online: the newest values of one customer, group by group (database)
SELECT g.name AS feature_group, o."values", datetime(o.event_timestamp / 1000000, 'unixepoch') AS event_timestamp
FROM serving_featurevalue o
JOIN catalog_featuregroup g ON g.id = o.group_id
WHERE o.entity_key = '15634602'
ORDER BY g.name;

-- online: the customers with the greatest balances now (database)
SELECT o.entity_key, json_extract(o."values", '$.balance_mean_v1') AS balance_mean
FROM serving_featurevalue o
JOIN catalog_featuregroup g ON g.id = o.group_id
WHERE g.name = 'customer_financial' AND json_extract(o."values", '$.balance_mean_v1') IS NOT NULL
ORDER BY balance_mean DESC
LIMIT 10;

-- online: how many entities each group serves, as of which version of its table (database)
SELECT g.name AS feature_group, m.online_rows, m.history_rows, m.table_version, m.newest_event
FROM serving_materializedtable m
JOIN catalog_featuregroup g ON g.id = m.group_id
ORDER BY g.name;

-- history: everything that was ever known of one customer's balance (history)
SELECT event_timestamp, created_timestamp, balance_mean_v1, run_id
FROM customer_financial
WHERE entity_key = '15634602'
ORDER BY event_timestamp, created_timestamp NULLS FIRST, arrival NULLS FIRST;

-- history: the balance of every customer as it was 7 days before the newest event (history)
SELECT entity_key, balance_mean_v1, event_timestamp
FROM customer_financial
WHERE event_timestamp <= (SELECT max(event_timestamp) - INTERVAL 7 DAY FROM customer_financial)
QUALIFY row_number() OVER (
    PARTITION BY entity_key
    ORDER BY event_timestamp DESC, created_timestamp DESC NULLS LAST, arrival DESC NULLS LAST
) = 1
ORDER BY entity_key;

-- history: mean balance and share of missing values per day (history)
SELECT CAST(event_timestamp AS DATE) AS day, count(*) AS "rows", avg(balance_mean_v1) AS mean,
       1 - count(balance_mean_v1) / count(*) AS missing
FROM customer_financial
GROUP BY day
ORDER BY day;

-- usage: which features are read most, by how many callers (database)
SELECT f.name, sum(u.online_reads) AS online_reads, sum(u.historical_reads) AS historical_reads,
       count(DISTINCT u.caller) AS callers
FROM serving_featureusage u
JOIN catalog_feature f ON f.id = u.feature_id
WHERE u.day >= date('now', '-30 days')
GROUP BY f.name
ORDER BY online_reads + historical_reads DESC;

-- usage: features that nobody has read (database)
SELECT f.name, g.name AS feature_group, f.created_at
FROM catalog_feature f
JOIN catalog_featuregroup g ON g.id = f.group_id
WHERE NOT EXISTS (SELECT 1 FROM serving_featureusage u WHERE u.feature_id = f.id)
ORDER BY f.created_at;

-- usage: requests and failures of the last day by hour and kind (database)
SELECT hour, kind, sum(requests) AS requests, sum(failures) AS failures
FROM serving_latencybucket
WHERE hour >= datetime('now', '-1 day')
GROUP BY hour, kind
ORDER BY hour, kind;

-- quality: what fell short in the newest report of each group (database)
SELECT g.name AS feature_group, r.created_at, r.passed, r.completeness, r.validity, r.consistency, r.shortfalls
FROM ingestion_validationreport r
JOIN catalog_featuregroup g ON g.id = r.group_id
WHERE r.id = (SELECT max(id) FROM ingestion_validationreport WHERE group_id = r.group_id)
ORDER BY g.name;

-- quality: the rules that were broken most in the newest reports (database)
SELECT f.name AS feature, x.rule, x.severity, x.failed, x.checked, x.message
FROM ingestion_ruleresult x
JOIN catalog_featureversion v ON v.id = x.version_id
JOIN catalog_feature f ON f.id = v.feature_id
WHERE x.failed > 0
  AND x.report_id IN (SELECT max(id) FROM ingestion_validationreport GROUP BY group_id)
ORDER BY x.failed DESC;

-- quality: how the statistics of a feature have moved from run to run (database)
SELECT p.computed_at, p.row_count, p.null_count, p.min_value, p.mean_value, p.max_value, p.std_dev
FROM catalog_featureprofile p
JOIN catalog_featureversion v ON v.id = p.version_id
JOIN catalog_feature f ON f.id = v.feature_id
WHERE f.name = 'balance_mean'
ORDER BY p.computed_at;

-- quality: rows in quarantine, and why (database)
SELECT g.name AS feature_group, q.entity_key, q.reasons, q.first_seen, q.last_seen
FROM ingestion_quarantinedrow q
JOIN catalog_featuregroup g ON g.id = q.group_id
ORDER BY q.last_seen DESC;

-- quality: the last runs and what they did (database)
SELECT g.name AS feature_group, r.kind, r.state, r.rows_read, r.rows_appended, r.rows_online, r.rows_flagged,
       r.rows_rejected, r.finished_at, r.error
FROM ingestion_ingestionrun r
JOIN catalog_featuregroup g ON g.id = r.group_id
ORDER BY r.created_at DESC
LIMIT 20;

-- lineage: everything that a feature is made from, however far up (database)
WITH RECURSIVE upstream(id, depth) AS (
    SELECT id, 0 FROM catalog_lineagenode WHERE kind = 'feature' AND name = 'customer_balance_mean_v1'
    UNION
    SELECT e.source_id, u.depth + 1 FROM catalog_lineageedge e JOIN upstream u ON e.target_id = u.id WHERE u.depth < 20
)
SELECT min(u.depth) AS depth, n.kind, n.name
FROM upstream u JOIN catalog_lineagenode n ON n.id = u.id
GROUP BY n.kind, n.name
ORDER BY depth, n.kind, n.name;

-- lineage: the features that a column of the source goes into (database)
SELECT s.name AS source_column, f.name AS feature
FROM catalog_lineagenode s
JOIN catalog_lineageedge e ON e.source_id = s.id
JOIN catalog_lineagenode f ON f.id = e.target_id AND f.kind = 'feature'
WHERE s.kind = 'source_column'
ORDER BY s.name, f.name;

-- lineage: who changed what in the catalog (database)
SELECT at, actor, action, object_type, object_name
FROM catalog_auditevent
ORDER BY at DESC, id DESC
LIMIT 50;

-- Which design is more available, and by how much? From seeds.csv, seed by seed, beside what summary.json says.
-- DuckDB. In the folder of a comparison:   duckdb -f ../../examples/analysis/paired.sql
WITH availability AS (
    SELECT variant, seed, value
    FROM 'seeds.csv'
    WHERE metric = 'availability' AND population IS NULL AND journey IS NULL
),
compared AS (
    SELECT unnest(comparisons, recursive := true)
    FROM 'summary.json'
)
SELECT
    compared.a,
    compared.b,
    count(*) AS seeds,
    avg(x.value - y.value) AS difference,                                        -- of shares, a less b
    stddev_samp(x.value - y.value) / sqrt(count(*)) AS standard_error,
    avg(CASE WHEN x.value > y.value THEN 1 WHEN x.value = y.value THEN 0.5 ELSE 0 END) AS a_better_share,
    any_value(compared.difference) AS in_summary,
    any_value(compared.verdict) AS verdict
FROM compared
JOIN availability AS x ON x.variant = compared.a
JOIN availability AS y ON y.variant = compared.b AND y.seed = x.seed
WHERE compared.metric = 'availability' AND compared.population IS NULL AND compared.journey IS NULL
GROUP BY compared.a, compared.b
ORDER BY difference DESC;

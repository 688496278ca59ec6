-- How long the model takes, by the size of the request
SELECT instances, round(median(ms), 3) AS median_ms, round(quantile_cont(ms, 0.99), 3) AS p99_ms,
       count(*) AS requests
FROM (
    SELECT count(*) AS instances, max(inference_ms) AS ms
    FROM predictions
    GROUP BY request_id
)
GROUP BY instances
ORDER BY instances

-- The slowest requests
SELECT request_id, max(inference_ms) AS inference_ms, count(*) AS instances,
       min(predicted_at) AS predicted_at, any_value(model_version) AS model_version
FROM predictions
GROUP BY request_id
ORDER BY inference_ms DESC
LIMIT 50

-- Labels without a prediction
SELECT received_at, prediction_id, id, label, value, observed_at, given_by
FROM labels
WHERE is_current AND NOT is_matched
ORDER BY received_at DESC
LIMIT 100

-- The predictions the model was least sure of
SELECT round(list_max(p), 4) AS largest, label, predicted_at, prediction_id, id
FROM (
    SELECT *, map_values(CAST(to_json(probabilities) AS MAP(VARCHAR, DOUBLE))) AS p
    FROM predictions
)
ORDER BY largest
LIMIT 50

-- The newest predictions of objects unlike any seen in training
SELECT predicted_at, array_to_string(novelty, ', ') AS outside, label, prediction_id, id
FROM predictions
WHERE len(novelty) > 0
ORDER BY predicted_at DESC
LIMIT 50

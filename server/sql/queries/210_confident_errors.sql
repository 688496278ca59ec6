-- The errors the model was most sure of
SELECT round(probability, 4) AS probability, label, truth, predicted_at, prediction_id, id, given_by
FROM judged
WHERE NOT is_correct
ORDER BY probability DESC, predicted_at DESC
LIMIT 50

-- What was outside the range the model was trained on, by input
SELECT warning.feature AS feature, count(*) AS times, max(predicted_at) AS last
FROM (SELECT predicted_at, unnest(warnings) AS warning FROM predictions)
GROUP BY feature
ORDER BY times DESC

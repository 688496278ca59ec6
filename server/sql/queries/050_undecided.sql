-- Predictions whose set holds more or less than one label
SELECT len(prediction_set) AS labels, array_to_string(prediction_set, ', ') AS prediction_set,
       count(*) AS predictions
FROM predictions
WHERE len(prediction_set) <> 1
GROUP BY ALL
ORDER BY predictions DESC

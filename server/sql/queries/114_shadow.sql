-- What the shadow would have answered: from which label to which
SELECT shadow, answered, would_be, count(*) AS predictions,
       round(count(*) / sum(count(*)) OVER (PARTITION BY shadow), 4) AS share
FROM (
    SELECT prediction_id, label AS would_be, concat_ws(' ', model_name, model_version) AS shadow
    FROM shadow_predictions
)
JOIN (SELECT prediction_id, label AS answered FROM predictions) USING (prediction_id)
GROUP BY shadow, answered, would_be
ORDER BY shadow, predictions DESC

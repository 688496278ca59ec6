-- The shadow against what was answered, where the truth is known: put right, put wrong
SELECT shadow, count(*) AS judged, round(avg(is_correct::INTEGER), 4) AS accuracy,
       round(avg((would_be = truth)::INTEGER), 4) AS accuracy_of_the_shadow,
       count_if(NOT is_correct AND would_be = truth) AS put_right,
       count_if(is_correct AND would_be <> truth) AS put_wrong
FROM (
    SELECT prediction_id, label AS would_be, concat_ws(' ', model_name, model_version) AS shadow
    FROM shadow_predictions
)
JOIN (SELECT prediction_id, is_correct, truth FROM judged WHERE is_correct IS NOT NULL)
    USING (prediction_id)
GROUP BY shadow
ORDER BY shadow

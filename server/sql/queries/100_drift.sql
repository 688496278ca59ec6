-- What changed: each column in the newest day against all before
SELECT after.column_name, after.avg::DOUBLE - before.avg::DOUBLE AS moved_by,
       before.avg::DOUBLE AS mean_before, after.avg::DOUBLE AS mean_after,
       before.std::DOUBLE AS sd_before
FROM (SUMMARIZE SELECT * FROM predictions
      WHERE predicted_at < (SELECT max(predicted_at) FROM predictions) - INTERVAL 1 DAY) AS before
JOIN (SUMMARIZE SELECT * FROM predictions
      WHERE predicted_at >= (SELECT max(predicted_at) FROM predictions) - INTERVAL 1 DAY) AS after
  USING (column_name)
WHERE after.avg IS NOT NULL AND before.avg IS NOT NULL AND after.column_type NOT LIKE 'TIMESTAMP%'
ORDER BY abs(moved_by / nullif(sd_before, 0)) DESC NULLS LAST

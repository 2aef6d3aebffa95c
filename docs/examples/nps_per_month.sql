with latest as (from read_json('surveys/responses.jsonl', maximum_depth = 2)
  qualify row_number() over (partition by id order by updated_at desc nulls last) = 1)
select date_trunc('month', created_at at time zone 'UTC')::date as month, count(*) as responses,
  round(100 * avg(case when score >= 9 then 1 when score <= 6 then -1 else 0 end)) as nps
from latest where survey_id in (10, 11, 13) and not coalesce(excluded_from_calculations, false)
group by month order by month;

"""The functions that SQL from users may call: what computes, and nothing that reads or bursts."""

_OPERATORS = """
    + - * / // % ** ^ & | ~ << >> || @ @> <@ && <=> ^@ -> ->> ~~ !~~ ~~* !~~* ~~~ = == <> != < <= >
    >= like_escape not_like_escape ilike_escape not_ilike_escape regexp_matches regexp_full_match
"""
_NUMBERS = """
    abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees
    divide even exp factorial fdiv floor fmod gamma gcd greatest greatest_common_divisor isfinite
    isinf isnan lcm least least_common_multiple lgamma ln log log10 log2 mod multiply nextafter pi
    pow power radians random round round_even roundbankers sign signbit sin sinh sqrt subtract tan
    tanh trunc xor
"""
_TEXT = """
    array_to_string ascii bit_length char_length character_length chr concat concat_ws contains
    ends_with format_bytes formatreadabledecimalsize formatreadablesize instr lcase left len length
    lower ltrim md5 nfc_normalize octet_length ord overlay position prefix regexp_extract
    regexp_replace regexp_split_to_array replace reverse right rtrim sha1 sha256
    split split_part starts_with str_split string_split string_to_array strip_accents strlen strpos
    substr substring suffix to_base translate trim ucase unicode upper hash unhex from_hex
    from_base64 url_decode encode decode bar
"""
_TIME = """
    age ago century current_date current_localtime current_localtimestamp date_add date_diff
    date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth
    dayofweek dayofyear days_in_month decade epoch epoch_ms epoch_ns epoch_us era
    get_current_time get_current_timestamp hour isodow isoyear julian last_day make_date make_time
    make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz microsecond millennium
    millisecond minute month monthname nanosecond normalized_interval now quarter second strftime
    strptime time_bucket timezone timezone_hour timezone_minute to_centuries to_days to_decades
    to_hours to_microseconds to_millennia to_milliseconds to_minutes to_months to_quarters
    to_seconds to_timestamp to_weeks to_years today transaction_timestamp try_strptime week weekday
    weekofyear year yearweek
"""
_VALUES = """
    constant_or_null gen_random_uuid if nullif typeof uuid uuid_extract_timestamp
    uuid_extract_version uuidv4 uuidv7 enum_code
"""
_NESTED = """
    array_append array_cat array_concat array_contains array_cosine_distance
    array_cosine_similarity array_distance array_extract array_has array_has_all
    array_has_any array_indexof array_inner_product array_length array_position
    array_prepend array_reverse array_slice array_sort array_value
    cardinality element_at flatten json_array json_array_length json_contains json_exists
    json_extract json_extract_path json_extract_path_text json_extract_string json_keys json_object
    json_type json_valid json_value list_any_value list_append list_avg
    list_bool_and list_bool_or list_cat list_concat list_contains list_count list_distance
    list_dot_product list_element list_extract list_first list_has
    list_has_all list_has_any list_indexof list_inner_product list_kurtosis
    list_last list_mad list_max list_median list_min list_pack list_position list_prepend
    list_product list_reverse list_select list_sem list_skewness list_slice
    list_sort list_stddev_pop list_stddev_samp list_sum list_value list_var_pop
    list_var_samp list_where map_contains map_entries map_extract map_extract_value
    map_keys map_values row row_to_json struct_extract struct_extract_at
    struct_pack to_json union_extract union_tag union_value unnest
"""
_AGGREGATES = """
    any_value approx_count_distinct approx_quantile arbitrary arg_max arg_max_null
    arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last argmax argmin array_agg avg bit_and
    bit_or bit_xor bool_and bool_or corr count count_if count_star countif covar_pop covar_samp
    entropy favg first fsum geomean geometric_mean group_concat kahan_sum kurtosis
    kurtosis_pop last list listagg mad max max_by mean median min min_by mode product quantile
    quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope
    regr_sxx regr_sxy regr_syy sem skewness stddev stddev_pop stddev_samp string_agg sum
    sum_no_overflow sumkahan var_pop var_samp variance wavg weighted_avg grouping grouping_id
"""
_WINDOWS = """
    cume_dist dense_rank fill first_value lag last_value lead nth_value ntile percent_rank rank
    rank_dense row_number
"""
ALLOWED = frozenset(
    " ".join((_OPERATORS, _NUMBERS, _TEXT, _TIME, _VALUES, _NESTED, _AGGREGATES, _WINDOWS)).split()
)
# As tables: what makes rows of its arguments.
ALLOWED_TABLES = frozenset({"range", "generate_series", "unnest", "json_each"})

-- Purpose: ends the running statements that carry the name of an owner, without waiting for it. One row per
-- statement.
-- Input: system.processes, see count_owned_statements.
kill query
where
    has(splitByChar('.', query_id), {owner:String})
    or has(splitByChar('.', Settings['log_comment']), {owner:String})
async

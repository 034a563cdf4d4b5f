-- Purpose: how many running statements carry the name of an owner, whatever became of their clients.
-- One row: the number.
-- Input: system.processes. A server has the name in the statement's id, the stack's gateway in its comment.
select count() as statements
from system.processes
where
    has(splitByChar('.', query_id), {owner:String})
    or has(splitByChar('.', Settings['log_comment']), {owner:String})

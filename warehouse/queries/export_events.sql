-- Purpose: the stored events of a person with all that was understood of them. One row per event.
-- Input: events; the user id.
select
    id,
    type,
    created_at,
    received_at,
    session_id,
    ip,
    user_id,
    url,
    url_host,
    url_path,
    referrer,
    device_type,
    user_agent,
    is_bot,
    bot_name,
    event_title,
    element_id,
    x,
    y,
    payload,
    warnings,
    warning_fields,
    source
from events
where user_id = {user_id:UInt64}
order by
    created_at,
    id

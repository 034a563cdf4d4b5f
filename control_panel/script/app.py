"""The script that Streamlit runs for every browser: navigation, then the chosen page.

It has a folder of its own, because Streamlit would run the modules of a folder `pages` beside it as scripts,
past the check of the session.
"""

from control_panel import layout
from control_panel.session import current_account

layout.configure()
account = current_account()
if account is None:
    layout.session_ended()
else:
    layout.navigate(account)

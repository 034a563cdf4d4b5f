"""The control panel: the place from which a person runs the system.

A Streamlit application with routes and middleware of its own. It owns no data and starts nothing by itself:
it asks the other services, and restarting it stops nothing.
"""

"""Dashboards as code: the files in `superset/assets`, their way into Apache Superset and back.

`python -m dashboards` runs in Superset's environment; what turns files into Superset's form and back is pure
and needs no Superset.
"""

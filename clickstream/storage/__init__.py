"""Reads and writes of the warehouse: the only package that talks to ClickHouse.

A function here does one thing with one table, named by its module; the SQL lies in `warehouse/` and is
loaded by name. Many rows go in and out as `pyarrow.Table`.
"""

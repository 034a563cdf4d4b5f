"""The rules of clickstream: one event contract, the steps of the ETL, and the only ClickHouse client code."""

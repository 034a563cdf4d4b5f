"""Loaded CSV files: what became of each line, for the command line, the panel and the API."""

"""The only code that imports Apache Superset; it runs in Superset's environment."""

"""The command `clickstream`, for people without a browser."""

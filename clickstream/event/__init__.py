"""The rules of one event: how its values are read, split and recognised."""

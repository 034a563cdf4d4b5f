"""Mage as the stack runs it: what is put around its server."""

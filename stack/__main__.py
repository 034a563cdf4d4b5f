"""Runs the command line."""

from stack.cli import main

main()

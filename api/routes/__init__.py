"""What answers: one module a subject."""

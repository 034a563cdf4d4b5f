"""The drill: breaks a stack of its own, and checks that the alerts say so and that nothing is lost."""

"""What our HTTP services put in front of their applications: bounds on requests, checks of host names."""

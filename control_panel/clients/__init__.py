"""What the panel asks the other services, one module for each."""

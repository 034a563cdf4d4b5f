"""The exporter: what no service can say of itself, asked of warehouse, broker and operating system."""

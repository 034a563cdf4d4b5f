"""`make bench`: how fast the pipelines are, each beside the bare engine on the same data in the same run."""

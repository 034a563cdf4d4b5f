"""Where events come from: each module turns one kind of source into raw records with their coordinates."""

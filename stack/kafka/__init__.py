"""Apache Kafka without Docker: one node in KRaft mode from the artifacts at Maven's central repository."""

"""What the blocks of the Mage pipelines call: the steps of the ETL with their files, locks and run records.

Each step may be killed at any point and run again, also in another process.
"""

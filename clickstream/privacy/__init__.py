"""What is known of a person: finding it, exporting it, erasing it, and keeping it erased.

naming   which people a text names
people   the keyed hashes of erased people
find     where a person's rows are
erase    the run that removes them       receipt   what it says afterwards
late     what the ETL does with rows of people who are erased already
export   all of it as JSON
"""

"""What is asked: queries, and the data that they need."""

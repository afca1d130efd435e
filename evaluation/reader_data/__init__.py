"""Examples for the reader: situations in made-up shops, put into words that people wrote."""

"""Tables from files, cleaned, compared and written again."""

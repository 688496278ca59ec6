"""The log as it is browsed: filters, pages of rows, pictures, files."""

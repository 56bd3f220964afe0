"""How the tables came to be, one reversible step a file. Run by services/schema.py."""

"""What Signpost is measured against: a Flask-RESTX app as the tutorials write it, and decently.

It serves Signpost's own tables and the same fields. Indexes are there, authors come with their
posts, HTML is rendered when a post is written: only the habits of the tutorials cost it time.
"""

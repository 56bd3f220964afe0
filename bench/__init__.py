"""The benchmark: Signpost beside a textbook Flask-RESTX app. Start reading at bench/run.py."""

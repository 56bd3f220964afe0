"""The rules. Nothing here knows Flask or HTTP."""

"""The core's rules, and what RealWorld has otherwise."""

"""The scaffold: ``flask extension`` writes packages, imported by that command alone."""

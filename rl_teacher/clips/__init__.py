"""Segments made visible: poses that the browser draws, and video."""

"""The web server people answer through. It meets the trainer in the store only: no torch, no simulator."""

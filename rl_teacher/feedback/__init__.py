"""The store where trainer and people meet: one database and one folder of blobs. No torch, no simulator."""

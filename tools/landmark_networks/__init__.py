"""Readers of the public networks that `tools/convert_landmark_networks.py` turns into the engine's asset."""

"""What scheduler and executor share about the engine: its plans, its sessions, its failures.

Needs DataFusion; the thin client imports nothing from here.
"""
